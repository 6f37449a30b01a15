import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from auria_bot.art.nets.lora import adapt, merge  # noqa: E402 - after the skip
from auria_bot.errors import ModelCorrupt  # noqa: E402


def load(folder):
    """The tiny model."""
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


def test_merged_adapters_do_what_they_did_beside(tiny_lm):
    """Fresh adapters change nothing; trained ones give the same scores beside the weights and within them."""
    tokens = torch.arange(12)[None]
    with torch.no_grad():
        before = load(tiny_lm)(input_ids=tokens).logits
        net = load(tiny_lm)
        adapters = adapt(net, rank=4, blocks=2)
        assert torch.equal(net(input_ids=tokens).logits, before)
        for each in adapters.values():
            each.up.normal_(0, 0.1)
        beside = net(input_ids=tokens).logits
        merged = load(tiny_lm)
        merge(merged, adapters.state_dict())
        assert not torch.allclose(beside, before, atol=1e-3)
        torch.testing.assert_close(merged(input_ids=tokens).logits, beside, atol=1e-4, rtol=1e-4)


def test_only_the_last_blocks_learn(tiny_lm):
    """Adapters stand beside the seven linear layers of each of the last blocks, and nothing else has a gradient."""
    net = load(tiny_lm)
    adapters = adapt(net, rank=2, blocks=2)
    assert len(adapters) == 14
    assert all("/0/" not in name for name in adapters)
    learnt = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}
    assert learnt == {id(parameter) for parameter in adapters.parameters()}


def test_adapters_of_another_model_are_refused(tiny_lm):
    """Names or sizes that the model does not have are an error."""
    for name, size in (("model/layers/9/mlp/up_proj", 16), ("model/layers/1/mlp/up_proj", 5)):
        with pytest.raises(ModelCorrupt, match="do not fit"):
            merge(load(tiny_lm), {f"{name}.down": torch.zeros(2, size), f"{name}.up": torch.zeros(32, 2)})
