"""Which epoch of this network reads handwritten digits best?

A plain training loop in PyTorch, on data that ships with scikit-learn. Nothing in it logs: the two
lines on top do. Run it: python examples/pytorch_digits.py
"""

import autolog

autolog.autolog()

import torch  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

digits = load_digits()
parts = train_test_split(digits.data / 16, digits.target, test_size=0.3, random_state=0)
X_train, X_val, y_train, y_val = (torch.as_tensor(part) for part in parts)
train_loader = DataLoader(TensorDataset(X_train.float(), y_train), batch_size=64, shuffle=True)
val_loader = DataLoader(TensorDataset(X_val.float(), y_val), batch_size=256)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)

for epoch in range(8):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for images, labels in val_loader:
            val_loss = criterion(model(images), labels)
    scheduler.step()
    print(f"epoch {epoch}: loss {loss.item():.3f}, val_loss {val_loss.item():.3f}")
