"""The command line: `autolog runs`, `experiments`, `artifacts`, `db`, `sync` and `doctor`."""
