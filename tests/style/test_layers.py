"""Rooms include only what src/LAYERS grants them; libraries stay in the rooms that own them."""
import os
import re
import subprocess

from files import SOURCE, own_files, read, without_comments
from support import BUILD, main

# Who may include a library's header, or name a thing, by the room under src/.
CONFINED = {
    r'#\s*include\s*[<"](hdf5|H5\w*|hdf5_hl)\.h[>"]': ("src/data/", "src/io/"),
    r'#\s*include\s*[<"](cblas|lapacke|f77blas|openblas\w*)\b[^>"]*[>"]': ("src/numerics/",),
    r'#\s*include\s*[<"]fftw3[^>"]*[>"]': ("src/numerics/",),
    r"\b(Cblacs_\w+|Csys2blacs_handle|p[dz]\w+_)\s*\(": ("src/numerics/",),
    r'#\s*include\s*[<"]yaml\.h[>"]': ("src/io/",),
    r"\bMPI_COMM_WORLD\b": ("src/app/main.c",),
    r"\b(v?printf|puts|perror)\s*\(|\bv?fprintf\s*\(\s*std(out|err)\b": ("src/base/",),
    r"\bMPI_(Init|Init_thread|Finalize)\s*\(": ("src/app/main.c",),
}


def layers():
    rooms = {}
    for line in read("src/LAYERS").split("\n"):
        line = line.split("#")[0].strip()
        if line:
            room, granted = line.split(":")
            rooms[room.strip()] = granted.split()
    return rooms


def test_every_room_is_named_in_layers():
    rooms = set(layers())
    there = {path.split(os.sep)[1] for path in own_files(".c", ".h") if path.startswith("src/")}
    assert there <= rooms, f"src/LAYERS does not name {sorted(there - rooms)}"


def test_arrows_go_up_only():
    order = list(layers())
    for room, granted in layers().items():
        wrong = [other for other in granted if order.index(other) >= order.index(room)]
        assert not wrong, f"src/LAYERS: {room} is granted {wrong}, which stand below it"


def test_includes_follow_the_layers():
    rooms = layers()
    wrong = []
    for path in own_files(".c", ".h"):
        if not path.startswith("src/"):
            continue
        room = path.split(os.sep)[1]
        text = without_comments(read(path), strings=False)
        for name in re.findall(r'#\s*include\s*"([^"]+)"', text):
            if name == "version.h" or name.startswith("dunlin/"):
                continue
            other = name.split("/")[0] if "/" in name else None
            if other != room and other not in rooms[room]:
                wrong.append(f"{path} includes {name}")
    assert not wrong, "not granted by src/LAYERS:\n" + "\n".join(wrong)


def test_public_header_stands_alone():
    text = without_comments(read("include/dunlin/target.h"), strings=False)
    assert re.findall(r"#\s*include\s*(\S+)", text) == ["<stddef.h>"]


def test_libraries_stay_in_their_rooms():
    wrong = []
    for path in own_files(".c", ".h"):
        if not path.startswith(("src/", "include/")):
            continue
        text = without_comments(read(path), strings=False)
        for pattern, homes in CONFINED.items():
            if re.search(pattern, text) and not path.startswith(homes):
                wrong.append(f"{path}: {re.search(pattern, text).group(0)} belongs to {homes}")
    assert not wrong, "\n".join(wrong)


def test_symbols_carry_the_prefix():
    library = os.path.join(BUILD, "libdunlin.a")
    listing = subprocess.run(["nm", "--defined-only", "--extern-only", library], check=True,
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    names = re.findall(r"^[0-9a-f]+ [A-Za-z] (\S+)$", listing, flags=re.MULTILINE)
    assert len(names) > 50, f"only {len(names)} symbols in {library}"
    allowed = ("dun_", "dunlin_", "__asan", "__odr_asan")
    wrong = sorted({name for name in names if not name.startswith(allowed)})
    assert not wrong, f"global symbols without the prefix dun_ or dunlin_: {wrong}"


main()
