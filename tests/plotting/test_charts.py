"""The figures: shown once with their text, closed, in colours that everyone can tell apart."""

import base64

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import to_hex, to_rgba
from traitlets.config import Config

from gaml_utils.intervals import Interval
from gaml_utils.plotting import charts as plotting
from gaml_utils.plotting import show_controls, style
from tests.support.pages import images

OKABE_ITO = {
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
}


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """What a notebook would get to see: an IPython shell that keeps what is displayed."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.display_pub = CapturingDisplayPublisher()
    yield shell.display_pub.outputs
    InteractiveShell.clear_instance()


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def labels(ax):
    return ax.get_xlabel(), ax.get_ylabel()


# ---------------------------------------------------------------- show


@pytest.mark.parametrize("alt", ["a rising line", 'the weights "sum" to 1, p < 0.05 & so on', "Überall, 95 %, −1"])
def test_show_displays_one_png_with_its_text(notebook, ax, alt):
    ax.plot([0, 1])
    style.show(ax.figure, alt=alt)
    (output,) = notebook
    ((source, text),) = images(output["data"]["text/html"])
    kind, data = source.split(",")
    assert kind == "data:image/png;base64" and base64.b64decode(data).startswith(b"\x89PNG")
    assert text == output["data"]["text/plain"] == alt


def test_show_closes_the_figure(notebook, ax):
    style.show(ax.figure, alt="axes")
    assert not plt.fignum_exists(ax.figure.number)


def test_show_leaves_other_figures_open(notebook, ax):
    other = plt.figure()
    style.show(ax.figure, alt="axes")
    assert plt.fignum_exists(other.number)
    plt.close(other)


def test_sliders_come_with_the_script_that_names_them(notebook):
    show_controls("a", "b")
    *shown, script = notebook
    assert [output["data"]["text/plain"] for output in shown] == ["'a'", "'b'"]
    assert "aria-label" in script["data"]["application/javascript"]


@pytest.mark.parametrize("alt", ["", "  \n", None, 3, ["a line"]])
def test_show_refuses_a_figure_without_text(notebook, ax, alt):
    with pytest.raises(ValueError, match=r"\balt\b"):
        style.show(ax.figure, alt=alt)
    assert notebook == []


def test_show_asks_for_the_text_by_name(ax):
    with pytest.raises(TypeError):
        style.show(ax.figure, "a line")
    with pytest.raises(TypeError):
        style.show(ax.figure)


# ---------------------------------------------------------------- the look


def test_colours_are_those_of_okabe_and_ito():
    assert set(plotting.COLOURS) <= OKABE_ITO


def test_colours_are_told_apart_and_so_are_neighbouring_dashes():
    assert len(set(plotting.COLOURS)) == len(plotting.COLOURS) == len(plotting.DASHES) == 7
    assert all(a != b for a, b in zip(plotting.DASHES, plotting.DASHES[1:], strict=False))


def test_named_colours_have_their_names():
    named = {
        "BLUE": "#0072B2",
        "ORANGE": "#E69F00",
        "SKY": "#56B4E9",
        "GREEN": "#009E73",
        "RED": "#D55E00",
        "PURPLE": "#CC79A7",
        "BLACK": "#000000",
    }
    assert {name: getattr(style, name) for name in named} == named


def test_lines_cycle_through_colours_and_dashes(ax):
    lines = [ax.plot([0, 1])[0] for _ in plotting.COLOURS]
    assert [to_hex(line.get_color()).upper() for line in lines] == list(plotting.COLOURS)
    assert [line.get_linestyle() for line in lines[:3]] == ["-", "--", "-."]


def test_figures_are_opaque_and_white(ax):
    assert to_rgba(ax.figure.get_facecolor()) == to_rgba(ax.get_facecolor()) == (1.0, 1.0, 1.0, 1.0)
    assert plt.rcParams["savefig.facecolor"] == "white"


# ---------------------------------------------------------------- plot_curves


def test_curves_are_one_labelled_line_each(ax):
    plotting.plot_curves(ax, {"MAML": np.array([3.0, 2.0, 1.0]), "Reptile": [2.0, 1.0]}, "steps", "query MSE")
    assert len(ax.lines) == 2
    assert texts(ax) == ["MAML", "Reptile"]
    assert labels(ax) == ("steps", "query MSE")


def test_curve_stands_against_0_1_2(ax):
    plotting.plot_curves(ax, {"MAML": np.array([3.0, 2.0, 1.0])}, "steps", "loss")
    assert ax.lines[0].get_xydata().tolist() == [[0, 3.0], [1, 2.0], [2, 1.0]]


def test_curves_differ_in_colour_and_dash(ax):
    plotting.plot_curves(ax, {"a": [1, 2], "b": [2, 1]}, "x", "y")
    first, second = ax.lines
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()


def test_interval_gets_a_band_from_low_to_high_in_the_colour_of_its_line(ax):
    interval = Interval(np.array([2.0, 1.0]), np.array([1.5, 0.5]), np.array([2.5, 1.75]))
    plotting.plot_curves(ax, {"plain": np.array([1.0, 1.0]), "mean": interval}, "x", "y")
    (band,) = ax.collections
    corners = {tuple(p) for p in band.get_paths()[0].vertices.tolist()}
    assert {(0, 1.5), (1, 0.5), (0, 2.5), (1, 1.75)} <= corners
    assert to_hex(band.get_facecolor()[0]) == to_hex(ax.lines[1].get_color())
    assert band.get_facecolor()[0][3] < 1
    assert ax.lines[1].get_ydata().tolist() == [2.0, 1.0]


def test_step_axis_has_whole_numbers_only(ax):
    plotting.plot_curves(ax, {"a": [3.0, 2.0, 1.0]}, "steps", "loss")
    assert all(tick == round(tick) for tick in ax.get_xticks())


# ---------------------------------------------------------------- plot_adaptation

X = np.linspace(-1, 1, 5)


def test_adaptation_draws_truth_fits_and_support(ax):
    plotting.plot_adaptation(ax, X, np.sin(X), {"before": 0 * X, "after": X}, ([0.0, 0.5], [0.1, 0.4]))
    assert texts(ax) == ["true sine", "before", "after", "support points"]
    truth, before, after, points = ax.lines
    assert truth.get_ydata().tolist() == np.sin(X).tolist() and to_hex(truth.get_color()) == "#000000"
    assert before.get_ydata().tolist() == (0 * X).tolist()
    assert after.get_ydata().tolist() == X.tolist()
    assert points.get_xydata().tolist() == [[0.0, 0.1], [0.5, 0.4]]
    assert points.get_marker() == "o" and points.get_linestyle() == "None"
    assert labels(ax) == ("x", "y")


def test_adaptation_without_support_has_no_points(ax):
    plotting.plot_adaptation(ax, X, X, {"after": X})
    assert texts(ax) == ["true sine", "after"]


def test_fits_and_truth_differ_in_colour_and_dash(ax):
    plotting.plot_adaptation(ax, X, X, {"a": X, "b": X, "c": X})
    assert len({line.get_color() for line in ax.lines}) == 4
    assert len({line.get_linestyle() for line in ax.lines}) == 4


def test_no_fit_is_left_out_however_many_there_are(ax):
    fits = {f"{k} steps": k * X for k in range(9)}
    plotting.plot_adaptation(ax, X, X, fits)
    assert texts(ax) == ["true sine", *fits]


# ---------------------------------------------------------------- plot_weights


def test_weights_are_one_bar_a_task(ax):
    plotting.plot_weights(ax, [0.5, 0.25, -0.25])
    assert [bar.get_height() for bar in ax.patches] == [0.5, 0.25, -0.25]
    assert labels(ax) == ("task", "weight")


def test_negative_weights_and_no_others_are_hatched_and_red(ax):
    plotting.plot_weights(ax, [0.5, -0.25, 0.0])
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, True, False]
    assert [to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == ["#0072B2", "#D55E00", "#0072B2"]


def test_weights_stand_beside_0_and_the_uniform_weight(ax):
    plotting.plot_weights(ax, np.array([0.5, 0.25, 0.15, 0.1]))
    levels = {line.get_label(): set(line.get_ydata()) for line in ax.lines}
    assert levels["uniform"] == {0.25}
    assert {0} in levels.values()


def test_tasks_are_counted_from_1_unless_they_have_names(ax):
    plotting.plot_weights(ax, [0.5, 0.5])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2"]
    plotting.plot_weights(ax, [0.5, 0.5], ["flat", "steep"])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["flat", "steep"]


# ---------------------------------------------------------------- plot_bars

GROUPS = {"uniform": [1.0, 2.0, 3.0], "agreement": [1.5, -0.5, 2.5]}


def test_bars_are_one_a_group_and_place(ax):
    plotting.plot_bars(ax, GROUPS, ["0", "1", "10"], "steps", "query MSE")
    assert [[bar.get_height() for bar in group] for group in ax.containers] == list(GROUPS.values())
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "1", "10"]
    assert labels(ax) == ("steps", "query MSE")


def test_groups_of_bars_differ_in_colour_and_hatch(ax):
    plotting.plot_bars(ax, GROUPS, ["0", "1", "10"], "x", "y")
    first, second = ax.containers
    assert first[0].get_facecolor() != second[0].get_facecolor()
    assert first[0].get_hatch() != second[0].get_hatch()


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_bars_stand_side_by_side_about_their_label(ax, groups):
    plotting.plot_bars(ax, {str(k): [1.0, 1.0] for k in range(groups)}, ["a", "b"], "x", "y")
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches)
    assert all(end <= start + 1e-12 for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    middles = [np.mean(spans[k * groups : (k + 1) * groups]) for k in range(2)]
    np.testing.assert_allclose(middles, ax.get_xticks(), atol=1e-12)


def test_legend_names_the_groups_where_there_are_several(ax):
    plotting.plot_bars(ax, {"uniform": [1.0]}, ["a"], "x", "y")
    assert ax.get_legend() is None
    plotting.plot_bars(ax, {"uniform": [1.0], "agreement": [2.0]}, ["a"], "x", "y")
    assert texts(ax)[-2:] == ["uniform", "agreement"]


# ---------------------------------------------------------------- smooth


def test_smooth_is_the_mean_of_each_run_of_neighbours():
    assert plotting.smooth([1.0, 2.0, 6.0, 7.0], 3) == pytest.approx([3.0, 5.0])


@pytest.mark.parametrize(("window", "length"), [(1, 60), (50, 11), (60, 1)])
def test_smooth_is_shorter_by_the_window_but_one(window, length):
    assert plotting.smooth(np.ones(60), window) == pytest.approx(np.ones(length))


def test_smooth_takes_50_unless_told():
    values = np.random.default_rng(0).normal(size=80)
    assert np.array_equal(plotting.smooth(values), plotting.smooth(values, 50))


@pytest.mark.parametrize("window", [0, -1, 5])
def test_smooth_refuses_a_window_that_does_not_fit_and_names_it(window):
    with pytest.raises(ValueError, match=r"\bwindow\b.*\b4\b"):
        plotting.smooth([1.0, 2.0, 3.0, 4.0], window)


# ---------------------------------------------------------------- plot_images


def test_images_stand_row_by_row_with_a_gap_round_each(ax):
    images = np.arange(1.0, 4.0)[:, None, None] * np.ones((3, 2, 4))
    plotting.plot_images(ax, images, columns=2)
    sheet = ax.images[0].get_array().filled(np.nan)
    assert sheet.shape == (2 * 4, 2 * 6)
    for k, (row, column) in enumerate([(0, 0), (0, 1), (1, 0)]):
        cell = sheet[4 * row : 4 * row + 4, 6 * column : 6 * column + 6]
        assert np.array_equal(cell[1:-1, 1:-1], images[k])
        assert np.isnan(cell).sum() == 24 - 8
    assert np.isnan(sheet[4:, 6:]).all()


def test_images_that_are_wrong_and_no_others_are_crossed_out(ax):
    plotting.plot_images(ax, np.ones((3, 2, 2)), columns=2, wrong=[False, True, False])
    assert len(ax.lines) == 2
    for line in ax.lines:
        assert 4 <= line.get_xdata().min() and line.get_ydata().max() < 4


def test_scale_sets_black_and_white(ax):
    plotting.plot_images(ax, np.ones((1, 2, 2)), columns=1, scale=0.5)
    assert ax.images[0].get_clim() == (-0.5, 0.5)
