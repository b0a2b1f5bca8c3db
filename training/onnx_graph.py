"""An exported encoder once more, for onnxruntime: ``encoder.onnx``, which multiplies 8-bit integers.

Weights that stand in ``encoder.bin`` are read from there. It takes one text at a time, without padding or mask.
Operations that onnxruntime can fuse are written as the fused ones.

Activations are rounded to 8 bits before each product, with one scale and zero point a tensor. In the feed-forward
layers a few columns are ten times as large as all others and would take the scale for themselves; each is given to the
product in eight parts, with its weights eight times (outlier channel splitting, Zhao et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper, save
from onnx.external_data_helper import set_external_data
from onnxruntime import InferenceSession

WEIGHTS = "encoder.bin"
_OPSET, _IR = 18, 9
_FUSED = "com.microsoft"
_IDS, _VECTOR = "input_ids", "vector"
_OUTLIERS, _PARTS = 4, 8  # columns that are split, and into how many parts


@dataclass(frozen=True)
class Bert:
    """The weights of a BERT by their names in transformers.

    :param weights: the arrays whose product each is: 8-bit integers and the scale of each row, or the weight itself.
    :param heads: of the attention.
    :param epsilon: of the layer norms.
    """

    weights: dict[str, tuple[NDArray[Any], ...]]
    heads: int
    epsilon: float


def write_onnx(bert: Bert, folder: Path, sequences: list[list[int]]) -> None:
    """Write ``encoder.onnx`` beside ``encoder.bin``.

    :param sequences: token ids of some texts, on which the outliers are found.
    """
    file = folder / "encoder.onnx"
    stored = (folder / WEIGHTS).read_bytes()
    plain = _Graph(bert, stored, {})
    save(plain.model(watched=True), file)
    save(_Graph(bert, stored, _outliers(file, plain.watched, sequences)).model(), file)


def _outliers(file: Path, watched: dict[str, str], sequences: list[list[int]]) -> dict[str, list[int]]:
    """:param watched: tensors that are outputs of a graph, by module. :return: the columns of each that are largest on average."""
    session = InferenceSession(file, providers=["CPUExecutionProvider"])
    largest = [session.run(list(watched.values()), {_IDS: np.array([ids], np.int64)}) for ids in sequences]
    means = (np.mean([np.abs(tensor[0]).max(axis=0) for tensor in tensors], axis=0) for tensors in zip(*largest, strict=True))
    return {module: sorted(np.argsort(-mean)[:_OUTLIERS].tolist()) for module, mean in zip(watched, means, strict=True)}


class _Graph:
    """Writes down the graph of a BERT with mean pooling.

    :param stored: content of ``encoder.bin``.
    :param outliers: columns to split, by the module whose input they are.
    """

    def __init__(self, bert: Bert, stored: bytes, outliers: dict[str, list[int]]) -> None:
        self.watched: dict[str, str] = {}
        self._bert = bert
        self._stored = stored
        self._outliers = outliers
        self._nodes: list[Any] = []
        self._tensors: dict[str, Any] = {}

    def model(self, *, watched: bool = False) -> ModelProto:
        """:param watched: whether what goes into the feed-forward layers is an output, too."""
        hidden = self._embeddings()
        for layer in range(len({name.split(".")[2] for name in self._bert.weights if name.startswith("encoder.layer.")})):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        self._nodes.append(helper.make_node("ReduceMean", [hidden, self._placed("tokens", np.array([1]))], [_VECTOR], keepdims=0))
        width = len(self._bert.weights["embeddings.LayerNorm.bias"][0])
        inputs = [helper.make_tensor_value_info(_IDS, TensorProto.INT64, [1, "tokens"])]
        outputs = [helper.make_tensor_value_info(_VECTOR, TensorProto.FLOAT, [1, width])]
        if watched:
            outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.watched.values()]
        graph = helper.make_graph(self._nodes, "encoder", inputs, outputs, list(self._tensors.values()))
        return helper.make_model(graph, ir_version=_IR, opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)])

    def _embeddings(self) -> str:
        length = self._add("Shape", _IDS, start=1, end=2)
        first, rows = self._placed("first", np.array([0])), self._placed("rows", np.array([0]))
        words = self._table("embeddings.word_embeddings.weight", lambda table: self._add("Gather", table, _IDS))
        places = self._table("embeddings.position_embeddings.weight", lambda table: self._add("Slice", table, first, length, rows))
        kind = self._table("embeddings.token_type_embeddings.weight", lambda table: self._add("Gather", table, first))
        return self._normalised(self._add("Add", words, self._add("Add", places, kind)), "embeddings.LayerNorm")

    def _layer(self, hidden: str, name: str) -> str:
        joined = self._linear(hidden, *(f"{name}.attention.self.{part}" for part in ("query", "key", "value")))
        parts = [f"{joined}.{part}" for part in ("query", "key", "value")]
        self._nodes.append(helper.make_node("Split", [joined], parts, axis=2, num_outputs=3))
        attended = self._add("MultiHeadAttention", *parts, domain=_FUSED, num_heads=self._bert.heads)
        mixed = self._linear(attended, f"{name}.attention.output.dense")
        hidden = self._normalised(self._add("Add", mixed, hidden), f"{name}.attention.output.LayerNorm")
        inner = self._add("Gelu", self._linear(hidden, f"{name}.intermediate.dense"), domain=_FUSED)
        self.watched |= {f"{name}.intermediate.dense": hidden, f"{name}.output.dense": inner}
        return self._normalised(self._add("Add", self._linear(inner, f"{name}.output.dense"), hidden), f"{name}.output.LayerNorm")

    def _linear(self, given: str, *modules: str) -> str:
        """One product for modules that read the same input."""
        weights, *scales = (self._joined(factors) for factors in zip(*(self._weight(f"{name}.weight") for name in modules), strict=True))
        bias = self._joined([self._weight(f"{name}.bias")[0] for name in modules])
        if not scales:
            return self._add("Add", self._add("MatMul", given, self._across(self._widened(weights))), bias)
        if modules[0] in self._outliers:
            given, weights = self._split(given, weights, modules[0])
        scale = self._add("Reshape", scales[0], self._placed("flat", np.array([-1])))
        return self._add("DynamicQuantizeMatMul", given, self._across(weights), scale, "", bias, domain=_FUSED)

    def _split(self, given: str, weights: str, module: str) -> tuple[str, str]:
        """:return: the input of a product with its outliers in parts, and weights to match; together they give what they gave."""
        others = np.ones(self._bert.weights[f"{module}.weight"][0].shape[1], np.float32)
        others[self._outliers[module]] = 0
        parts = self._placed(f"{module}.parts", np.array(self._outliers[module] * _PARTS))
        share = self._placed("share", np.array(1 / _PARTS, np.float32))
        outliers = self._add("Mul", self._add("Gather", given, parts, axis=2), share)
        kept = self._add("Mul", given, self._placed(f"{module}.others", others))
        return self._add("Concat", kept, outliers, axis=2), self._add(
            "Concat", weights, self._add("Gather", weights, parts, axis=1), axis=1
        )

    def _normalised(self, given: str, name: str) -> str:
        weight, bias = (self._weight(f"{name}.{part}")[0] for part in ("weight", "bias"))
        return self._add("LayerNormalization", given, weight, bias, axis=-1, epsilon=self._bert.epsilon)

    def _table(self, name: str, rows_of: Callable[[str], str]) -> str:
        """Rows of a table, multiplied out only after they are taken."""
        first, *rest = (self._widened(rows_of(factor)) for factor in self._weight(name))
        for factor in rest:
            first = self._add("Mul", first, factor)
        return first

    def _joined(self, names: list[str] | tuple[str, ...]) -> str:
        return names[0] if len(names) == 1 else self._add("Concat", *names, axis=0)

    def _widened(self, name: str) -> str:
        return self._add("Cast", name, to=TensorProto.FLOAT)

    def _across(self, name: str) -> str:
        return self._add("Transpose", name, perm=[1, 0])

    def _weight(self, name: str) -> list[str]:
        """:return: its factors; those that stand in ``encoder.bin`` are read from there."""
        factors = {f"{name}.{number}": factor for number, factor in enumerate(self._bert.weights[name])}
        for place, factor in factors.items():
            offset = self._stored.find(factor.tobytes())
            self._placed(place, factor)
            if offset >= 0:
                set_external_data(self._tensors[place], WEIGHTS, offset=offset, length=factor.nbytes)
                self._tensors[place].ClearField("raw_data")
        return list(factors)

    def _placed(self, name: str, array: NDArray[Any]) -> str:
        self._tensors[name] = numpy_helper.from_array(array, name)
        return name

    def _add(self, operation: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{operation}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [output], domain=domain, **attributes))
        return output
