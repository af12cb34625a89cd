"""What is recorded of loops in the zoo, beside what a person would have written down of them."""

import pytest
import torch
from tests.integrations.pytorch import zoo, zoo_more
from tests.integrations.pytorch.watched import models, only, runs, turn_off, turn_on

from autolog.instrument import registry


@pytest.fixture(autouse=True)
def watched(monkeypatch, tracking):
    monkeypatch.setitem(registry.BUILTIN, "pytorch", "autolog.pytorch.spec:SPEC")
    turn_on()
    yield
    turn_off()


LOOPS = {loop.__name__: loop for loop in zoo_more.LOOPS}


def steps(number):
    return list(range(number))


SGD = {"optimizer": "SGD", "model": "Sequential", "loss_function": "cross_entropy"}

LABELS = {
    "quickstart": (
        {
            "loss": steps(10),
            "lr": [0],
            "epoch": [4, 9],
            "train_loss": [4, 9],
            "train_accuracy": [4, 9],
            "test_loss": [4, 9],
            "test_accuracy": [4, 9],
        },
        {**SGD, "lr": "0.1", "momentum": "0", "batch_size": "8", "shuffle": "True"},
        ["train", "test"],
    ),
    "trainer_class": (
        {
            "loss": steps(12),
            "lr": [0],
            "epoch": [3, 7, 11],
            "train_loss": [3, 7, 11],
            "train_accuracy": [3, 7, 11],
            "val_loss": [3, 7, 11],
            "val_accuracy": [3, 7, 11],
        },
        {"optimizer": "AdamW", "lr": "0.01", "weight_decay": "0.1", "model_parameters": "83"},
        ["train", "val"],
    ),
    "index_batches": (
        {"train_loss": steps(12), "lr": [0], "train_loss_epoch": [11], "train_accuracy": [11]},
        {"optimizer": "Adam", "lr": "0.01", "model": "Sequential"},
        [],
    ),
    "full_batch_regression": (
        {
            "loss": steps(250),
            "lr": [0],
            "train_loss": [99, 199, 249],
            "train_mae": [99, 199, 249],
        },
        {"optimizer": "RMSprop", "lr": "0.01", "loss_function": "mse_loss"},
        [],
    ),
    "get_batch_language_model": (
        {
            "loss": steps(20),
            "lr": [0],
            "train_loss": [9, 19],
            "train_accuracy": [9, 19],
            "val_loss": [9, 19],
            "val_accuracy": [9, 19],
        },
        {"optimizer": "AdamW", "betas": "(0.9, 0.95)", "model": "Bigram", "block_size": "5"},
        [],
    ),
    "iterable_dataset": (
        {
            "loss": steps(8),
            "lr": [0],
            "epoch": [3, 7],
            "train_loss": [3, 7],
            "train_accuracy": [3, 7],
        },
        {"loss_function": "nll_loss", "batch_size": "5", "optimizer": "SGD"},
        ["train"],
    ),
    "endless_loader": (
        {
            "loss": steps(10),
            "lr": [0],
            "epoch": [3, 7, 9],
            "train_loss": [3, 7, 9],
            "train_accuracy": [3, 7, 9],
        },
        {**SGD, "batch_size": "10", "shuffle": "True"},
        ["train"],
    ),
    "next_iter_each_step": (
        {"loss": steps(6), "lr": [0], "train_loss": [5], "train_accuracy": [5]},
        SGD,
        [],
    ),
    "gradient_accumulation": (
        {
            "loss": steps(4),
            "lr": [0],
            "epoch": [1, 3],
            "train_loss": [1, 3],
            "train_accuracy": [1, 3],
        },
        {**SGD, "momentum": "0.9", "batch_size": "6"},
        ["train"],
    ),
    "several_backwards": (
        {
            "class_loss": steps(3),
            "size_loss": steps(3),
            "lr": [0],
            "epoch": [2],
            "train_class_loss": [2],
            "train_size_loss": [2],
            "train_accuracy": [2],
        },
        {"optimizer": "SGD", "lr": "0.05"},
        ["train"],
    ),
    "amp_with_scaler": (
        {
            "loss": steps(7),
            "lr": [0],
            "skipped_steps": [1],
            "epoch": [2, 6],
            "train_loss": [2, 6],
            "train_accuracy": [2, 6],
        },
        {**SGD, "autocast": "bfloat16"},
        ["train"],
    ),
    "lbfgs_closure": (
        {"loss": steps(3), "lr": [0], "train_loss": [2], "train_mae": [2]},
        {"optimizer": "LBFGS", "max_iter": "4", "lr": "0.5", "model": "Linear"},
        [],
    ),
    "dcgan": (
        {
            "errD_real": steps(6),
            "errD_fake": steps(6),
            "errG": steps(6),
            "optimizerD.lr": [0],
            "optimizerG.lr": [0],
            "epoch": [2, 5],
            "train_errD_real": [2, 5],
            "train_errD_fake": [2, 5],
            "train_errG": [2, 5],
        },
        {
            "optimizerD.lr": "0.0002",
            "optimizerG.lr": "0.0001",
            "optimizerD.betas": "(0.5, 0.999)",
            "netG.model_parameters": "60",
            "netD.model_parameters": "49",
            "loss_function": "binary_cross_entropy",
        },
        ["train"],
    ),
    "encoder_decoder": (
        {
            "loss": steps(3),
            "encoder_optimizer.lr": [0],
            "decoder_optimizer.lr": [0],
            "epoch": [2],
            "train_loss": [2],
            "train_accuracy": [2],
        },
        {
            "encoder.model": "GRU",
            "decoder.model": "Linear",
            "encoder_optimizer.lr": "0.1",
            "decoder_optimizer.lr": "0.2",
        },
        ["train"],
    ),
    "models_side_by_side": (
        {
            "loss": steps(6),
            "optimizers_1.loss": steps(6),
            "optimizers_0.lr": [0],
            "optimizers_1.lr": [0],
            "epoch": [2, 5],
            "train_loss": [2, 5],
            "train_optimizers_1.loss": [2, 5],
        },
        {"models_0.model": "Sequential", "models_1.model": "Sequential"},
        ["train"],
    ),
    "vae": (
        {
            "loss": steps(4),
            "BCE": steps(4),
            "lr": [0],
            "epoch": [1, 3],
            "train_loss": [1, 3],
            "train_BCE": [1, 3],
            "test_BCE": [1, 3],
        },
        {"model": "VAE", "lr": "0.001", "loss_function": "binary_cross_entropy"},
        ["train", "test"],
    ),
    "plain_function_loss": (
        {"dice": steps(3), "lr": [0], "epoch": [2], "train_dice": [2]},
        {"optimizer": "Adam", "lr": "0.001"},
        ["train"],
    ),
    "triplet_embedding": (
        {"loss_triplet": steps(2), "lr": [0], "epoch": [1], "train_loss_triplet": [1]},
        {"loss_function": "triplet_margin_loss", "model": "Linear"},
        ["train"],
    ),
    "siamese_contrastive": (
        {"loss_contrastive": steps(2), "lr": [0], "epoch": [1], "train_loss_contrastive": [1]},
        {"optimizer": "SGD", "lr": "0.01"},
        ["train"],
    ),
    "rnn_tagger": (
        {
            "loss": steps(4),
            "lr": [0],
            "epoch": [1, 3],
            "train_loss": [1, 3],
            "train_accuracy": [1, 3],
            "val_loss": [1, 3],
            "val_accuracy": [1, 3],
        },
        {"model": "Tagger", "lr": "0.05"},
        ["train", "val"],
    ),
    "binary_logits": (
        {
            "loss": steps(6),
            "lr": [0],
            "epoch": [2, 5],
            "train_loss": [2, 5],
            "train_accuracy": [2, 5],
            "val_loss": [2, 5],
            "val_accuracy": [2, 5],
        },
        {"loss_function": "binary_cross_entropy_with_logits"},
        ["train", "val"],
    ),
    "reinforce": (
        {"policy_loss": steps(3), "lr": [0], "train_policy_loss": [2]},
        {"optimizer": "Adam", "lr": "0.01"},
        [],
    ),
    "early_stopping": (
        {
            "loss": steps(9),
            "lr": [0, 3, 6],
            "epoch": [2, 5, 8],
            "train_loss": [2, 5, 8],
            "train_accuracy": [2, 5, 8],
            "val_loss": [2, 5, 8],
            "val_accuracy": [2, 5, 8],
        },
        {"optimizer": "Adam"},
        ["train", "val"],
    ),
    "one_cycle_per_step": (
        {
            "loss": steps(8),
            "lr_0": steps(8),
            "lr_1": steps(8),
            "epoch": [3, 7],
            "train_loss": [3, 7],
            "train_accuracy": [3, 7],
        },
        {"param_groups": "2", "optimizer": "SGD"},
        ["train"],
    ),
    "nested_validation": (
        {
            "loss": steps(8),
            "lr": [0],
            "epoch": [3, 7],
            "train_loss": [3, 7],
            "train_accuracy": [3, 7],
            "val_loss": [0, 1, 3, 5, 7],
            "val_accuracy": [0, 1, 3, 5, 7],
        },
        SGD,
        ["train", "val"],
    ),
    "plain_validation_tensors": (
        {
            "loss": steps(3),
            "lr": [0],
            "train_loss": [0, 1, 2],
            "train_accuracy": [0, 1, 2],
            "val_loss": [0, 1, 2],
            "val_accuracy": [0, 1, 2],
        },
        SGD,
        [],
    ),
    "random_items": (
        {"loss": steps(4), "lr": [0], "epoch": [3], "train_loss": [3], "train_accuracy": [3]},
        {**SGD, "batch_size": "5", "shuffle": "True"},
        ["train"],
    ),
}


@pytest.mark.parametrize("name", LABELS)
def test_a_loop_is_recorded_as_a_person_would(name):
    series, params, contexts = LABELS[name]
    LOOPS[name]()
    found = only()
    assert found.steps == series
    assert {key: found.params.get(key) for key in params} == params
    assert found.contexts == contexts
    assert found.run.info.status == "FINISHED"


def test_each_fold_is_a_run():
    zoo_more.k_fold()
    found = runs()
    assert len(found) == 3
    for each in found:
        assert each.steps == {
            "loss": steps(4),
            "lr": [0],
            "epoch": [1, 3],
            "train_loss": [1, 3],
            "train_accuracy": [1, 3],
            "val_loss": [3],
            "val_accuracy": [3],
        }
        assert each.params["name"] == "folds"
        assert each.contexts == ["train", "val"]


@pytest.mark.parametrize("name", ["by_hand", "inference_only"])
def test_what_is_no_training_makes_no_run(name):
    LOOPS[name]()
    assert runs() == []


def test_every_loop_of_the_zoo_has_labels():
    apart = {"k_fold", "by_hand", "inference_only"}
    assert LOOPS.keys() == LABELS.keys() | apart


def test_the_numbers_are_those_of_the_program():
    X, y = zoo.make_blobs()
    train = torch.utils.data.TensorDataset(X[:40], y[:40])
    val = torch.utils.data.TensorDataset(X[40:], y[40:])
    loaders = [torch.utils.data.DataLoader(each, 10) for each in (train, val)]
    trainer = zoo.Trainer(zoo.mlp(), *loaders)
    trainer.fit()
    found = only()
    assert found.values["train_loss"] == pytest.approx([each[0] for each in trainer.history])
    assert found.values["val_loss"] == pytest.approx([each[1] / 2 for each in trainer.history])
    with torch.no_grad():
        right = (trainer.model(X[40:]).argmax(1) == y[40:]).float().mean().item()
    assert found.values["val_accuracy"][-1] == pytest.approx(right)


def test_losses_are_those_before_they_were_divided_or_scaled():
    values = []
    original = torch.nn.functional.cross_entropy

    def noting(*args, **kwargs):
        result = original(*args, **kwargs)
        values.append(result.item())
        return result

    zoo.F.cross_entropy = noting
    try:
        zoo.gradient_accumulation()
        zoo.amp_with_scaler()
    finally:
        zoo.F.cross_entropy = original
    divided, scaled = runs()
    means = [sum(values[i : i + 4]) / 4 for i in range(0, 16, 4)]
    assert divided.values["loss"] == pytest.approx(means)
    kept = values[16:18] + values[19:24]
    assert scaled.values["loss"] == pytest.approx(kept)


def test_a_checkpoint_for_each_epoch_has_its_metrics():
    zoo.trainer_class()
    found = only()
    made = models()
    assert [each.name for each in made] == ["model-3", "model-7", "model-11"]
    assert [each.tags["autolog.checkpoint.epoch"] for each in made] == ["0", "1", "2"]
    for place, each in enumerate(made):
        held = {metric.key: metric.value for metric in each.metrics}
        assert held["val_loss"] == found.values["val_loss"][place]
        assert held["train_loss"] == found.values["train_loss"][place]
    assert made[-1].status == "READY"


def test_networks_of_a_gan_are_kept_apart():
    zoo_more.dcgan()
    only()
    assert [each.name for each in models()] == ["netD-2", "netG-2", "netD-5", "netG-5"]
