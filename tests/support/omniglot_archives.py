"""Small stand-ins for Omniglot's archives, and a server in this process that offers them: no network is needed."""

import functools
import hashlib
import http.server
import io
import threading
import zipfile

import numpy as np
from PIL import Image

from gaml_utils.datasets.omniglot_archives import ARCHIVES, Archive

SMALL1, RUNS = "images_background_small1.zip", "all_runs.zip"


def png(pixels):
    """A drawing, (105, 105) with ink True, as the bytes of a one-bit PNG, black on white."""
    file = io.BytesIO()
    Image.fromarray(~np.asarray(pixels, dtype=bool)).convert("1").save(file, "PNG")
    return file.getvalue()


def blocks(number):
    """A drawing that says `number` in 16 bits: block k of a 4 x 4 grid is black where bit k is 1."""
    bits = [(number >> k) & 1 for k in range(16)]
    return png(np.pad(np.kron(np.reshape(bits, (4, 4)), np.ones((26, 26))), ((0, 1), (0, 1))))


def number_of(image):
    """What `blocks` said, from the 28 x 28 image."""
    bits = image.reshape(4, 7, 4, 7)[:, 3, :, 3].ravel()
    return int(sum(int(bit) << k for k, bit in enumerate(bits)))


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return file.getvalue()


def small_set():
    """Two alphabets, of 2 and 1 characters, by 3 drawers; drawing number 100 * character + drawer."""
    files, characters = {}, [("Greek", 1), ("Greek", 2), ("Tagalog", 1)]
    for k, (alphabet, character) in enumerate(characters):
        for drawer in (1, 2, 3):
            files[f"set/{alphabet}/character{character:02}/{900 + k:04}_{drawer:02}.png"] = blocks(100 * k + drawer)
    return files


def small_runs():
    """20 runs; class c of run r is drawing 20 r + c, test item t of it belongs to class (3 t + r) mod 20."""
    files = {}
    for r in range(20):
        run, lines = f"run{r + 1:02}", []
        for k in range(20):
            answer = (3 * k + r) % 20
            files[f"{run}/training/class{k + 1:02}.png"] = blocks(20 * r + k)
            files[f"{run}/test/item{k + 1:02}.png"] = blocks(1000 + 20 * r + answer)
            lines.append(f"{run}/test/item{k + 1:02}.png {run}/training/class{answer + 1:02}.png")
        files[f"{run}/class_labels.txt"] = "\n".join(lines[::-1]) + "\n"
    return files


class Server:
    """Serves what `files` holds, by name, and remembers what was asked for."""

    def __init__(self):
        self.files, self.asked = {}, []
        handler = functools.partial(Handler, owner=self)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def offer(self, monkeypatch, name, right, given=None):
        """Registers the archive with the SHA-256 of `right`, and serves `given`, or the right one."""
        self.files[name] = right if given is None else given
        url = f"http://127.0.0.1:{self.http.server_port}/{name}"
        monkeypatch.setitem(ARCHIVES, name, Archive(url, hashlib.sha256(right).hexdigest()))

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, *args, owner):
        self.owner = owner
        super().__init__(*args)

    def do_GET(self):
        name = self.path.lstrip("/")
        self.owner.asked.append(name)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.owner.files[name])

    def log_message(self, *args):
        pass


def listing(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
