"""The pictures of the documents: the best of what the tests saw, small enough to be kept (`make pictures`)."""

from PIL import Image

from talk_pipeline_tests.browser.conftest import PICTURES
from talk_pipeline_tests.browser.stage import ROOT

KEPT = ("graph", "checklist-not-ok", "attention", "stopped-run")
COLOURS = 256
MOST_BYTES = 200_000


def main() -> None:
    """Writes them, with few colours: they show pages, not photographs."""
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    for name in KEPT:
        file = folder / f"{name}.png"
        with Image.open(PICTURES / file.name) as picture:
            few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(file, optimize=True)
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise SystemExit(f"{file} has {size} bytes, more than {MOST_BYTES}")
        print(f"{file.relative_to(ROOT)}: {size // 1000} kB")


if __name__ == "__main__":
    main()
