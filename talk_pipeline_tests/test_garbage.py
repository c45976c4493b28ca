"""Garbage is not looked for while much is imported, and is afterwards."""

import subprocess
import sys

LOOKED = """
import gc
looks = []
gc.callbacks.append(lambda phase, about: looks.append(phase))
{begins}
before = len(looks)  # one or two before anything is put off
print(before < 10, gc.isenabled(), gc.get_freeze_count() > 100_000)
made = [[] for _ in range(200_000)]
print(len(looks) > before)
"""


def test_none_is_looked_for_while_the_definitions_are_loaded() -> None:
    said = subprocess.check_output(
        [sys.executable, "-c", LOOKED.format(begins="import talk_pipeline.definitions")], text=True
    )
    assert said.splitlines() == ["True True True", "True"]


def test_what_was_not_looked_for_before_is_not_afterwards() -> None:
    begins = "gc.disable()\nfrom talk_pipeline.garbage import put_off\nwith put_off(): pass"
    said = subprocess.check_output([sys.executable, "-c", LOOKED.format(begins=begins)], text=True)
    assert said.splitlines() == ["True False False", "False"]
