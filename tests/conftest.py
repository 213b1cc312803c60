"""Before any test module is imported: what makes numbers equal everywhere, as in the first cell of each chapter."""

from gaml_utils import reproducible

reproducible()
