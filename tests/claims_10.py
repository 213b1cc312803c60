"""What chapter 10 says of the study, and the cells that say so (tests/test_study_claims.py)."""

CLAIMS: list = []
