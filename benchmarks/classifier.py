"""The checkpoint with its head as a transformers classification model, for the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from training.frozen import SentenceEncoder
from zhuti.decision import Floats


class MeanPooledClassifier(BertPreTrainedModel):  # type: ignore[misc]
    """BERT, mean pooling, one linear layer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.pooled = SentenceEncoder(BertModel(config, add_pooling_layer=False))
        self.classifier = torch.nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    @classmethod
    def assemble(cls, checkpoint: Path, weight: Floats, bias: Floats) -> MeanPooledClassifier:
        """:param weight: (width, leaves). :param bias: (leaves,)."""
        encoder = BertModel.from_pretrained(checkpoint, add_pooling_layer=False)
        encoder.config.num_labels = len(bias)
        model = cls(encoder.config)
        model.pooled.encoder = encoder
        with torch.no_grad():
            model.classifier.weight.copy_(torch.from_numpy(weight.T.copy()))
            model.classifier.bias.copy_(torch.from_numpy(bias))
        return model.eval()  # type: ignore[no-any-return]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        """:param input_ids: (batch, tokens). :return: ``logits``, (batch, leaves)."""
        return SequenceClassifierOutput(logits=self.classifier(self.pooled(input_ids, attention_mask)))
