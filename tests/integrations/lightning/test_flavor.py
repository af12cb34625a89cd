"""Modules of Lightning are kept as modules of PyTorch, without their trainer."""

import pytest
import torch

import autolog
import autolog.lightning
import autolog.pyfunc
import autolog.pytorch

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def library(request):
    return pytest.importorskip(request.param)


def make(library):
    class Net(library.LightningModule):
        def __init__(self, width=4):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(3, width)

        def forward(self, x):
            return self.layer(x)

        def training_step(self, batch, _):
            loss = self(batch[0]).square().mean()
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Net


def test_a_trained_module_is_logged_and_loaded(tracking, tmp_path, library):
    model = make(library)(width=5)
    data = torch.utils.data.TensorDataset(torch.randn(16, 3))
    infos = []

    class Logging(library.Callback):
        def on_train_epoch_end(self, trainer, module):
            # In the middle of a training, while the trainer holds the module.
            infos.append(
                autolog.lightning.log_model(module, name="net", step=trainer.current_epoch)
            )

    trainer = library.Trainer(
        max_epochs=2, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", default_root_dir=tmp_path,
        callbacks=[Logging()],
    )  # fmt: skip
    with autolog.start_run():
        trainer.fit(model, torch.utils.data.DataLoader(data, batch_size=4))
    assert len(infos) == 2
    loaded = autolog.lightning.load_model(infos[-1].model_uri)
    assert torch.equal(loaded.layer.weight, model.layer.weight)
    assert loaded.hparams["width"] == 5
    assert loaded._trainer is None
    first = autolog.pytorch.load_model(infos[0].model_uri)
    assert not torch.equal(first.layer.weight, model.layer.weight)
    x = torch.randn(2, 3)
    found = autolog.pyfunc.load_model(infos[-1].model_uri).predict(x.numpy())
    assert torch.allclose(torch.from_numpy(found), model.eval()(x).detach())


def test_a_module_is_saved_by_path(tmp_path, library):
    model = make(library)()
    autolog.lightning.save_model(model, tmp_path / "m")
    assert torch.equal(
        autolog.lightning.load_model(tmp_path / "m").layer.weight, model.layer.weight
    )
