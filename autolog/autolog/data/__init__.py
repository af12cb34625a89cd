"""Datasets to log with `autolog.log_input`, under the names that tracking code expects.

```python
import autolog
import pandas as pd

df = pd.DataFrame({"x": [0.5, 1.5], "label": [0, 1]})
dataset = autolog.data.from_pandas(df, source="data/train.csv", targets="label", name="train")
with autolog.start_run():
    autolog.log_input(dataset, context="training")
```
"""

from __future__ import annotations

from autolog.data.arrow_dataset import ArrowDataset, from_pyarrow
from autolog.data.dataset_source import DatasetSource, get_source
from autolog.data.http_dataset_source import HTTPDatasetSource
from autolog.data.huggingface_dataset import HuggingFaceDataset, from_huggingface
from autolog.data.meta_dataset import MetaDataset
from autolog.data.numpy_dataset import NumpyDataset, from_numpy
from autolog.data.pandas_dataset import PandasDataset, from_pandas
from autolog.data.polars_dataset import PolarsDataset, from_polars
from autolog.data.spark_dataset import SparkDataset, from_spark
from autolog.data.tensorflow_dataset import TensorFlowDataset, from_tensorflow
from autolog.data.torch_dataset import TorchDataset, from_torch
from autolog_core.data import DataReference as Dataset

__all__ = [
    "ArrowDataset",
    "Dataset",
    "DatasetSource",
    "HTTPDatasetSource",
    "HuggingFaceDataset",
    "MetaDataset",
    "NumpyDataset",
    "PandasDataset",
    "PolarsDataset",
    "SparkDataset",
    "TensorFlowDataset",
    "TorchDataset",
    "from_huggingface",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "from_pyarrow",
    "from_spark",
    "from_tensorflow",
    "from_torch",
    "get_source",
]
