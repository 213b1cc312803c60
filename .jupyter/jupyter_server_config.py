"""JupyterLab's settings for this repository, by JUPYTER_CONFIG_PATH: `make lab` and Binder.

Opening a chapter does not change it. JupyterLab writes into a notebook which Python runs it, so that a chapter counts
as changed before anything was done. Here it is told so when it reads the file, and what it adds is left out again when
it saves: a chapter that was only looked at, or run to the same outputs, stays as it was committed.
"""

from ipykernel.ipkernel import IPythonKernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

STORED = ("file_extension", "mimetype", "name")


class ChapterManager(AsyncLargeFileManager):
    """Files as always, but for one entry of a notebook's metadata."""

    async def get(self, path, content=True, type=None, format=None, **options):
        """Read a file; of a notebook, name the Python that will run it."""
        model = await super().get(path, content, type, format, **options)
        if is_python(model):
            model["content"]["metadata"]["language_info"] = dict(IPythonKernel.language_info)
        return model

    async def save(self, model, path=""):
        """Write a file; of a notebook, keep what is so on every machine."""
        if is_python(model):
            metadata = model["content"]["metadata"]
            metadata["language_info"] = {key: metadata["language_info"][key] for key in STORED}
        return await super().save(model, path)


def is_python(model):
    """Whether this is a whole notebook of ours to touch."""
    if model.get("type") != "notebook" or not model.get("content"):
        return False
    return model["content"]["metadata"].get("language_info", {}).get("name") == "python"


c = get_config()  # noqa: F821
c.ServerApp.contents_manager_class = ChapterManager
