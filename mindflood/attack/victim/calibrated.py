"""The victim at another temperature: the attack's search sees scores that it can follow.

A model whose confidence is extreme looks robust because every candidate scores the same; the
adversary undoes that at test time by a temperature (Raina et al. 2024, 'Extreme miscalibration and
the illusion of adversarial robustness').
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from mindflood.attack.textattack_import import textattack


class CalibratedVictim(textattack.models.wrappers.ModelWrapper):
    """A victim whose logits are divided by a temperature; its predictions stay the same.

    The softmax is taken in float64: in float32 a gap of 17 nats is probability 1 already.

    Args:
        victim: a TextAttack model wrapper that answers with logits.
        temperature: above 0.
    """

    def __init__(self, victim: Any, temperature: float) -> None:
        self.victim = victim
        self.temperature = temperature
        self.model = victim.model

    def __call__(self, text_input_list: Sequence[Any], **options: Any) -> torch.Tensor:
        """Probabilities of each text: float64 (n, labels)."""
        logits = torch.as_tensor(self.victim(text_input_list, **options))
        return torch.softmax(logits.double() / self.temperature, dim=1)

    def get_grad(self, text_input: Any) -> Any:
        """The victim's own answer, from the loss at this temperature."""
        with _divided_logits(self.model, self.temperature):
            return self.victim.get_grad(text_input)

    def _tokenize(self, inputs: Sequence[Any]) -> Any:
        """The victim's tokens: TextAttack's class has a method of that name, which only raises."""
        return self.victim._tokenize(inputs)

    def __getattr__(self, name: str) -> Any:
        """What else the victim has: its tokenizer, folder, fingerprint."""
        if name == "victim":  # not there yet while a copy is unpacked
            raise AttributeError(name)
        return getattr(self.victim, name)


@contextmanager
def _divided_logits(model: torch.nn.Module, temperature: float) -> Iterator[None]:
    """Within, the model answers with its logits over the temperature and the loss of these."""

    def divide(_: Any, __: Any, named: dict[str, Any], output: Any) -> Any:
        output.logits = output.logits.double() / temperature
        if getattr(output, "loss", None) is not None:
            output.loss = torch.nn.functional.cross_entropy(output.logits, named["labels"].view(-1))
        return output

    handle = model.register_forward_hook(divide, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
