"""How a graph that MindSpore wrote is read, and what the page must say of its primitives."""

import pytest

from tools import portability

GRAPH = """
# IR entry: @1_construct
%para1_x: <Tensor[Float32], (4, 8)> : [4, 8]
subgraph @1_construct() {
  %0([CNode]2) = Load(%para2_w, U) cnode_attrs: {checkpoint: Bool(1)}
      : (<Ref[Tensor[Float32]], (8)>, <UMonad>) -> (<Tensor[Float32], (8)>)
  %1(y) = PrimFunc_MatMul(%para1_x, %0, Bool(0), Bool(1)) {instance name: matmul}
  %2(z) = PrimFunc_MatMul(%1, %0, Bool(0), Bool(1))
  %3([CNode]9) = SliceGrad(%2, %para1_x, (0, 0), (4, 8))
  %4([CNode]10) = Switch(%3, @2_then, @3_else)
  %5([CNode]11) = %4[@FuncUnion(@2_then, @3_else)]()
  %6([CNode]12) = call @4_inner(%5)
  Return(%6)
}
"""


def test_primitives_are_counted_and_the_structure_of_the_graph_is_not():
    assert portability.primitives_in(GRAPH) == {"MatMul": 2, "SliceGrad": 1}


def test_a_line_that_is_not_understood_is_not_passed_over():
    with pytest.raises(ValueError, match="not understood: <Novel>"):
        portability.primitives_in(GRAPH + "  %7(n) = <Novel> {Mul}\n")


def answer(**stated: list[str] | None) -> dict:
    words = {name: {"platforms": said, "by": f"ops.{name}"} for name, said in stated.items()}
    return {"mindspore": "2.7.0", "cases": {"one": {"Add": 1}, "two": {"Add": 2, "Sub": 1}},
            "stated": words}  # fmt: skip


def test_a_gap_is_a_device_that_is_not_stated():
    found = portability.gaps(
        answer(Add=["Ascend", "GPU", "CPU"], Sub=["GPU", "CPU"], Mul=None, AllGather=["Ascend"])
    )
    assert found == {"Sub": ["Ascend"], "Mul": ["Ascend", "GPU"], "AllGather": ["GPU"]}


def test_the_table_says_where_a_primitive_is_used():
    rows = portability.table(answer(Add=["Ascend", "GPU", "CPU"], Sub=["GPU"], AllReduce=["GPU"]))
    *_, add, sub, reduce = rows.splitlines()
    assert add == "| `Add` | yes | yes | yes | `ops.Add` | all |"
    assert sub == "| `Sub` | not stated | yes | not stated | `ops.Sub` | two |"
    assert reduce.endswith("| `ops.AllReduce` | several devices |")


def test_the_page_shows_the_known_gaps_and_explains_them():
    page = portability.PAGE.read_text(encoding="utf-8")
    shown = portability.in_page(page)
    gaps = {row.split("`")[1] for row in shown.splitlines() if row.count("not stated") > 1}
    assert gaps == set(portability.KNOWN_GAPS)
    assert all(f"- `{name}`: " in page for name in portability.KNOWN_GAPS)
