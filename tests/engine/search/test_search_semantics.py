"""What filters and orderings mean, row by row, in SQL and in memory."""

import pytest

from autolog_core.entities import ViewType
from autolog_core.errors import InvalidArgument
from autolog_core.search import RUNS, matches, parse_filter, parse_order_by, sort_runs
from autolog_core.search.values import like, parse_number

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def runs(shelf, draft):
    """Five runs, by their last letter: a is full, d is empty, b and e have odd values."""
    return shelf.fill(
        draft(
            "run-a",
            start_time=1000,
            end_time=5000,
            name="Alpha",
            user_id="ann",
            metrics={"loss": [0.9, 0.1], "acc": [0.8], "n": [10.0]},
            params={"lr": "0.01", "opt": "adam", "depth": "5"},
            tags={"team": "Vision", "note": "100% done"},
            datasets=[("mnist", "d1", "train"), ("mnist-test", "d2", "test")],
        ),
        draft(
            "run-b",
            start_time=2000,
            status="RUNNING",
            name="beta",
            metrics={"loss": [0.3, NAN], "acc": [0.5]},
            params={"lr": "1e-2", "opt": "Adam", "depth": "None"},
            tags={"team": "vision"},
            datasets=[("cifar", "d1", None)],
        ),
        draft(
            "run-c",
            start_time=2000,
            end_time=2000,
            status="FAILED",
            name="gamma_1",
            metrics={"loss": [0.5], "acc": [INF]},
            params={"lr": "0.1", "opt": "sgd", "depth": "10"},
            tags={"team": ""},
        ),
        draft("run-d", start_time=500, end_time=600, name="delta"),
        draft(
            "run-e",
            start_time=4000,
            status="KILLED",
            end_time=4001,
            name="gammaX1",
            metrics={"loss": [NAN], "acc": [-INF]},
            params={"lr": "auto", "depth": "inf"},
            tags={"team": "ÉQUIPE"},
            datasets=[("mnist", "d3", "train")],
        ),
    )


def letters_of(found):
    return "".join(run.info.run_id[-1] for run in found)


FILTERS = [
    # Metrics: the latest value counts.
    ("metrics.loss = 0.1", "a"),
    ("metrics.loss < 0.9", "ac"),
    ("metrics.loss >= 0.5", "c"),
    ("metrics.acc > 0.5", "ac"),
    ("metrics.acc <= 0.5", "be"),
    # NaN fits != only; infinities are the largest floats.
    ("metrics.loss != 0.1", "bce"),
    ("metrics.loss = 0", ""),
    ("metrics.loss <= 0", ""),
    ("metrics.acc = 1.7976931348623157e308", "c"),
    ("metrics.acc < -1e308", "e"),
    ("metrics.loss IN (0.1, 0.5)", "ac"),
    ("metrics.loss NOT IN (0.1)", "bce"),
    ("NOT metrics.loss > 0.2", "abe"),
    ("metrics.loss IS NAN", "be"),
    ("metrics.loss IS NOT NAN", "ac"),
    ("NOT metrics.loss IS NAN", "ac"),
    ("metrics.n IS NULL", "bcde"),
    ("metrics.n IS NOT NULL", "a"),
    ("metrics.nothing = 1", ""),
    # The smallest and largest value leave NaN out.
    ("min(metrics.loss) = 0.1", "a"),
    ("max(metrics.loss) > 0.2", "abc"),
    ("min(metrics.loss) IS NULL", "de"),
    ("max(metrics.acc) > 1", "c"),
    ("NOT min(metrics.loss) = 0.1", "bc"),
    # Params: text where quoted, numbers where both sides are.
    ("params.lr = '0.01'", "a"),
    ("params.lr = 0.01", "ab"),
    ("params.lr > 0.01", "c"),
    ("params.lr != 0.01", "ce"),
    ("params.lr != '0.01'", "bce"),
    ("params.depth < 7", "a"),
    ("params.depth >= 5", "ac"),
    ("params.depth IN (5, 'None')", "ab"),
    ("params.depth NOT IN (5, 'None')", "ce"),
    ("params.opt = 'adam'", "a"),
    ("params.opt LIKE 'a%'", "a"),
    ("params.opt ILIKE 'A%'", "ab"),
    ("params.opt NOT LIKE 'a%'", "bc"),
    ("params.opt IS NULL", "de"),
    ("params.opt IS NOT NULL", "abc"),
    ("params.Opt = 'adam'", ""),
    # Tags.
    ("tags.team = 'vision'", "b"),
    ("tags.team != 'vision'", "ace"),
    ("tags.team = ''", "c"),
    ("tags.team ILIKE 'équipe'", "e"),
    ("tags.team LIKE '_ision'", "ab"),
    ("tags.note LIKE '100%'", "a"),
    ("tags.team IN ('vision', 'Vision')", "ab"),
    ("tags.note IS NULL", "bcde"),
    # Attributes.
    ("run_id = 'run-a'", "a"),
    ("run_id IN ('run-a', 'run-d', 'x')", "ad"),
    ("run_id NOT IN ('run-a', 'run-d')", "bce"),
    ("run_name = 'beta'", "b"),
    ("`run name` LIKE 'gamma_1'", "ce"),
    ("`Run Name` ILIKE 'ALPHA'", "a"),
    ("status = 'FAILED'", "c"),
    ("status LIKE 'F%'", "acd"),
    ("status IN ('KILLED', 'RUNNING')", "be"),
    ("artifact_uri LIKE '%/run-a'", "a"),
    ("user_id = 'ann'", "a"),
    ("user_id != 'bob'", "a"),
    ("NOT user_id = 'bob'", "a"),
    ("user_id IS NULL", "bcde"),
    ("start_time > 1000", "bce"),
    ("created <= 1000", "ad"),
    ("start_time = 2000 AND end_time = 2000", "c"),
    ("end_time IS NULL", "b"),
    ("duration > 50", "ad"),
    ("duration = 0", "c"),
    ("duration IS NULL", "b"),
    # Datasets: one of several is enough; NOT wants none.
    ("dataset.name = 'mnist'", "ae"),
    ("datasets.name != 'mnist'", "ab"),
    ("NOT datasets.name = 'mnist'", "b"),
    ("datasets.digest IN ('d1', 'd9')", "ab"),
    ("datasets.name LIKE 'mnist%'", "ae"),
    ("datasets.context = 'train'", "ae"),
    ("datasets.context != 'train'", "a"),
    ("datasets.context IS NULL", "bcd"),
    ("datasets.name IS NULL", "cd"),
    ("datasets.name = 'mnist-test' AND datasets.context = 'train'", "a"),
    # Logic.
    ("metrics.acc > 0.5 AND params.opt = 'adam'", "a"),
    ("params.opt = 'sgd' OR params.opt = 'adam'", "ac"),
    ("NOT (params.opt = 'sgd' OR params.opt = 'adam')", "b"),
    ("NOT (params.opt = 'adam' AND metrics.acc > 0.5)", "bce"),
    ("params.opt = 'sgd' OR params.opt IS NULL", "cde"),
    ("NOT NOT params.opt = 'sgd'", "c"),
    ("params.opt = 'sgd' OR metrics.acc < 0 AND status = 'FAILED'", "c"),
    ("(params.opt = 'sgd' OR metrics.acc < 0) AND status = 'FAILED'", "c"),
]


@pytest.mark.parametrize(("text", "letters"), FILTERS)
def test_filters(shelf, runs, text, letters):
    found = shelf.store.search_runs([runs], text)
    assert "".join(sorted(letters_of(found))) == letters
    everything = shelf.store.search_runs([runs])
    tree = parse_filter(text, RUNS)
    assert letters_of(run for run in everything if matches(tree, run)) == letters_of(found)


ORDERINGS = [
    ([], "ebcad"),
    (["start_time"], "dabce"),
    (["run_id DESC"], "edcba"),
    # NaN after the numbers, missing last, both ways; ties by start time down, then id.
    (["metrics.loss"], "acebd"),
    (["metrics.loss DESC"], "caebd"),
    (["metrics.acc"], "ebacd"),
    (["metrics.acc DESC"], "cabed"),
    (["metrics.n"], "aebcd"),
    (["metrics.nothing DESC"], "ebcad"),
    (["min(metrics.loss)"], "abced"),
    (["max(metrics.loss) DESC"], "acbed"),
    # As text: "0.01", "0.1", "1e-2", "auto".
    (["params.lr"], "acbed"),
    (["params.lr DESC"], "ebcad"),
    (["params.opt"], "baced"),
    (["tags.team"], "cabed"),
    (["status", "run_id"], "cadeb"),
    (["end_time"], "dceab"),
    (["end_time DESC"], "aecdb"),
    (["duration"], "cedab"),
    (["user_id DESC"], "aebcd"),
    (["run_name"], "abdec"),
    (["start_time DESC", "run_id DESC"], "ecbad"),
    (["start_time DESC", "metrics.loss"], "ecbad"),
]


@pytest.mark.parametrize(("order_by", "letters"), ORDERINGS)
def test_orderings(shelf, runs, order_by, letters):
    found = shelf.store.search_runs([runs], order_by=order_by)
    assert letters_of(found) == letters
    everything = shelf.store.search_runs([runs])
    assert letters_of(sort_runs(everything, parse_order_by(order_by, RUNS))) == letters


@pytest.mark.parametrize("order_by", [o for o, _ in ORDERINGS])
@pytest.mark.parametrize("text", [None, "metrics.loss IS NOT NULL", "start_time >= 1000"])
@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_pages_make_up_the_whole(shelf, runs, order_by, text, size):
    whole = shelf.store.search_runs([runs], text, order_by=order_by)
    assert whole.token is None
    pages, token = [], None
    while True:
        page = shelf.store.search_runs([runs], text, 1, size, order_by, token)
        pages.append(page)
        token = page.token
        if token is None:
            break
        assert len(page) == size
    assert letters_of(run for page in pages for run in page) == letters_of(whole)
    assert len(pages) == max(1, -(-len(whole) // size))


def test_a_page_beyond_the_end_is_empty(shelf, runs):
    token = shelf.store.search_runs([runs], max_results=4).token
    assert len(shelf.store.search_runs([runs], "params.opt = 'adam'", page_token=token)) == 0


def test_deleted_runs_show_when_asked_for(shelf, draft):
    experiment = shelf.fill(
        *(draft(f"gone-{n}", start_time=n, metrics={"loss": [n]}) for n in range(4))
    )
    shelf.store.delete_run("gone-1")
    for order_by in ([], ["metrics.loss DESC"], ["run_name"]):
        for view, ids in (
            (ViewType.ACTIVE_ONLY, [3, 2, 0]),
            (ViewType.DELETED_ONLY, [1]),
            (ViewType.ALL, [3, 2, 1, 0]),
        ):
            found = shelf.store.search_runs([experiment], None, view, order_by=order_by)
            assert [run.info.run_id for run in found] == [f"gone-{n}" for n in ids]


@pytest.mark.parametrize("count", [2, 12])
def test_several_experiments_are_one_list(shelf, draft, count):
    experiments = [
        shelf.fill(
            *(
                draft(f"many-{count}-{e}-{n}", start_time=n, metrics={"loss": [e + 10.0 * n]})
                for n in range(3)
            )
        )
        for e in range(count)
    ]
    for text, expected in (
        (None, 3 * count),
        ("metrics.loss < 12", min(count, 12) + min(count, 2)),
    ):
        found = shelf.store.search_runs(experiments * 2, text, order_by=["metrics.loss DESC"])
        losses = [run.data.metrics["loss"] for run in found]
        assert losses == sorted(losses, reverse=True)
        assert len(losses) == expected


def test_unknown_experiments_hold_nothing(shelf):
    assert shelf.store.search_runs(["987654"]) == []
    assert shelf.store.search_runs([]) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"experiment_ids": ["x"]},
        {"experiment_ids": ["-1"]},
        {"experiment_ids": ["9" * 30]},
        {"experiment_ids": "12"},
        {"max_results": 0},
        {"max_results": 50_001},
        {"page_token": "nonsense"},
        {"view_type": 7},
    ],
)
def test_bad_arguments_are_named(shelf, arguments):
    name = next(iter(arguments)).removesuffix("s").replace("_", "[_ ]")
    with pytest.raises(InvalidArgument, match=name):
        shelf.store.search_runs(**{"experiment_ids": ["0"], **arguments})


def test_experiments(shelf, draft):
    store = shelf.store
    ids = {
        name: store.create_experiment(name, tags=tags)
        for name, tags in (
            ("find/me", {"team": "a"}),
            ("find/You", {"team": "b"}),
            ("find_them", {}),
        )
    }

    def names(text, **arguments):
        scope = "experiment_id IN (" + ", ".join(f"'{i}'" for i in ids.values()) + ")"
        found = store.search_experiments(f"{scope} AND ({text})", **arguments)
        return [one.name for one in found]

    assert names("name = 'find/me'") == ["find/me"]
    assert set(names("name LIKE 'find/%'")) == {"find/me", "find/You"}
    assert names("name ILIKE '%/YOU'") == ["find/You"]
    assert names("tags.team = 'a' OR tags.team IS NULL", order_by=["name"]) == [
        "find/me",
        "find_them",
    ]
    assert names("NOT tags.team = 'a'") == ["find/You"]
    assert names("creation_time > 0 AND last_update_time > 0", order_by=["name DESC"]) == [
        "find_them",
        "find/me",
        "find/You",
    ]
    assert names(f"experiment_id != '{ids['find/me']}'", order_by=["experiment_id"]) == [
        "find/You",
        "find_them",
    ]
    store.delete_experiment(ids["find/me"])
    assert names("name LIKE 'find/%'") == ["find/You"]
    assert names("name LIKE 'find/%'", view_type=ViewType.DELETED_ONLY) == ["find/me"]
    first = store.search_experiments(max_results=1, order_by=["experiment_id"])
    second = store.search_experiments(
        max_results=1, order_by=["experiment_id"], page_token=first.token
    )
    assert int(first[0].experiment_id) < int(second[0].experiment_id)


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("abc", "abc", True),
        ("abc", "a%", True),
        ("abc", "%c", True),
        ("abc", "%b%", True),
        ("abc", "a_c", True),
        ("abc", "a%c%", True),
        ("abc", "%%", True),
        ("", "%", True),
        ("", "_", False),
        ("ab", "ab%b", False),
        ("aab", "%ab", True),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("a\nb", "a%b", True),
        ("abab", "%ab", True),
    ],
)
def test_patterns(text, pattern, fits):
    assert like(text, pattern) is fits


def test_a_long_pattern_is_no_trap():
    assert not like("a" * 8000, "%a" * 3000 + "%b")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        (" -2.5e-3 ", -0.0025),
        (".5", 0.5),
        ("5.", 5.0),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("0x10", None),
        ("", None),
        ("True", None),
        ("１", None),
        ("1" * 65, None),
    ],
)
def test_what_counts_as_a_number(text, number):
    assert parse_number(text) == number
