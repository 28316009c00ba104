"""Every primitive that a method compiles is stated for Ascend and GPU, or is a known gap."""

import pytest

from tools import portability


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_primitive_is_stated_for_ascend_and_gpu_as_the_page_says():
    answer = portability.found()
    assert portability.gaps(answer) == portability.KNOWN_GAPS
    shown = portability.in_page(portability.PAGE.read_text(encoding="utf-8"))
    if shown.startswith(f"MindSpore {answer['mindspore']},"):  # another version's graphs differ
        assert shown == portability.table(answer)
