"""Which epoch of this network reads handwritten digits best?

A plain training loop in PyTorch, on data that ships with scikit-learn. Each epoch is offered as a
checkpoint; a policy keeps the two best and the last one, and deletes the weights of the others.
Run it: python examples/pytorch_digits.py
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import autolog

digits = load_digits()
parts = train_test_split(digits.data / 16, digits.target, test_size=0.3, random_state=0)
X_train, X_test, y_train, y_test = (torch.as_tensor(part) for part in parts)
X_train, X_test = X_train.float(), X_test.float()
test = autolog.data.from_numpy(X_test.numpy(), targets=y_test.numpy(), name="digits test")

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
policy = autolog.CheckpointPolicy(monitor="accuracy", keep_best=2, keep_last=1)

with autolog.start_run(run_name="digits") as run:
    autolog.log_params({"lr": 0.02, "dropout": 0.3, "width": 64})
    for epoch in range(20):
        model.train()
        for rows in torch.randperm(len(X_train)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(X_test).argmax(1) == y_test).float().mean().item()
        autolog.log_metric("loss", loss.item(), step=epoch)
        info = autolog.checkpoint(
            model,
            step=epoch,
            epoch=epoch,
            metrics={"accuracy": accuracy},
            dataset=test,
            policy=policy,
            input_example=X_test[:2],
        )
info.wait()

best = autolog.search_logged_models(
    filter_string=f"source_run_id = '{run.info.run_id}'",
    order_by=[{"field_name": "metrics.accuracy", "ascending": False}],
    output_format="list",
)
for checkpoint in best[:5]:
    score = next(each.value for each in checkpoint.metrics if each.key == "accuracy")
    print(f"{checkpoint.name:15} accuracy {score:.3f}  {checkpoint.status}")

again = autolog.pyfunc.load_model(best[0].model_uri)
right = (again.predict(X_test.numpy()).argmax(1) == y_test.numpy()).mean()
print(f"\n{best[0].model_uri} reads {right:.1%} of the test digits")
