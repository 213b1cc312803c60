"""Which code computes the numbers."""

from gaml_utils import code


def test_the_digest_is_of_the_code_and_not_of_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "PACKAGE", tmp_path)
    monkeypatch.setattr(code, "CODE", ("learners",))
    module = tmp_path / "learners" / "one.py"
    module.parent.mkdir()

    def digest(text):
        module.write_text(text, encoding="utf-8")
        return code.code_digest.__wrapped__()

    plain = digest("def f(x):\n    return x + 1\n")
    assert digest('"""Words."""\n\n\ndef f(x):\n    """More."""\n    return x + 1  # why\n') == plain
    assert digest("def f(x):\n    return x + 2\n") != plain
