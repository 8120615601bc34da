"""The command `wsss`: what is useful outside of the workflow.

Only the chosen command's libraries are imported, so that `wsss --help` answers at once.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

DESCRIPTION = """Weakly supervised semantic segmentation: the parts that stand outside of the
workflow. The experiments themselves are run by `snakemake`, see README.md."""
PREDICT = """Segment new images with a segmenter that the workflow trained
(results/.../segmenter.safetensors) or that `wsss import-weights segmenter` made."""
PREDICT_OUTPUT = """what is written:
  OUTPUT/masks/NAME.png      class of every pixel as palette PNG, of the image's size:
                             0 background, then the classes in the segmenter's order
  OUTPUT/overlays/NAME.jpg   the image under the classes' colours, with their names
  OUTPUT/predictions.csv     one row per image and class found: pixels, share of the image
  OUTPUT/legend.csv          value in the masks, name and colour of every class

Images may have any size and kind; photographs are turned upright by their EXIF tag first. A
file that cannot be read does not stop the others: it is named at the end, with exit status 1."""
IMPORT = """Turn a checkpoint of others into a file of this project. Tensors are renamed, never
changed; what does not fit exactly is refused. Checkpoints are read without running any code
of theirs."""
IMPORT_OUTPUT = """what can be imported:
  classifier   ResNet-50 of jiwoon-ahn/irn, jbeomlee93/AdvCAM and RIB, naver-ai/w-ood;
               Wide ResNet-38 of YudeWang/SEAM, halbielee/EPS, arvijj/hfpl, as a plain one
  seam         the same of SEAM and HFPL with the pixel correlation
  eps          the same of EPS with the background output
  irn          boundary network (ResNet-50) of the same repositories
  segmenter    DeepLab-v2 (ResNet-101) of kazuto1011/deeplab-pytorch

In a config the file goes where `initial_weights` stands, or to `wsss predict`."""

CHECK = """Read every file of a results folder: which are truncated, damaged or not of this
project? Each is named with the rule that makes it again; exit status 1 says that there are any."""

RECOVER = """After Snakemake itself was killed (kill -9, a lost login), its SLURM jobs go on. This
waits until none of this folder's is left, then unlocks the folder. What they finish counts: the
next start does not make it again. Nothing is waited for but SLURM jobs: stages on this machine end
by themselves about a second after Snakemake."""

PLAN = """What would a run cost? Asks the workflow of this folder for the jobs of a run (as
`snakemake -n` does) and prints, for each rule, jobs, images, hours, memory and disk. Hours are
images times measured rates: those that come with the package, of a CPU, or those of runs of your
own, which know your GPU."""
PLAN_EXAMPLES = """examples:
  wsss plan                                           config.yaml
  wsss plan --configfile config/scenes.yaml           a preset
  wsss plan --rates results-small/ --gpu --machine "one A100"
                                                      with the rates of a small run made there
  wsss plan --rates results-small/ --gpu --machine "one A100" --save rates.csv
                                                      keep them: rates.csv in this folder counts
                                                      for wsss plan, snakemake -n and the run
                                                      times that jobs ask a cluster for"""

FETCH = """Download data sets and ImageNet weights to data/ of this folder, where configs look for
them. What is under way goes on where it ended; what is there is left alone. The same is done by
`snakemake --cores 1 fetch_NAME`. Where a source cannot be reached, WSSS_FETCH_MIRRORS may hold
pairs as http://images.cocodataset.org=https://mirror.example/coco, with spaces between."""

REVIEW = """Look at the ranked candidates of an OoD set of kind manual in a browser, and say which
hold a foreground object. Serves a web page to this machine only; decisions go to the file that the
config names (ood_sets.NAME.decisions), each before the page says so. End it and come back at any
time."""
REVIEW_EXAMPLES = """example:
  snakemake --cores 2 results/voc2012/ood/hard/review.json   the ranking, and what the page needs
  wsss review results/voc2012/ood/hard                       prints the page's address
  ssh -L 8765:localhost:8765 me@cluster                      on your machine, if that is another
  snakemake --cores 2                                        goes on with what was decided"""

COST = """What did a run cost? Prints, for each rule, jobs, core-hours, GPU-hours, memory, and,
where the jobs ran in SLURM and its accounting (sacct) answers, what they asked for and how long
they waited. Reads a results folder only: it may be a copy, on another machine."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 is success, 1 an error, told in one sentence, 2 a wrong use of the command.
    """
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    # For the logs of stages; a person who waits sees what is slow.
    logging.getLogger("wsss.train.device").setLevel(logging.WARNING)
    if sys.stderr.isatty():
        # A bar instead of lines, see wsss.progress.
        logging.getLogger("wsss.progress").setLevel(logging.WARNING)
    try:
        return _run(options)
    except KeyboardInterrupt:
        sys.stderr.write("wsss: interrupted\n")
        return 130
    except (ValueError, LookupError, TypeError, OSError, RuntimeError, MemoryError) as error:
        if options.debug:
            traceback.print_exc()
        sys.stderr.write(f"wsss: error: {_sentence(error)}\n")
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command == "check":
        return _check(options.folder)
    if options.command == "recover":
        from wsss.commands.recover import recover

        sys.stdout.write(f"{recover(options.folder, cancel=options.cancel)}\n")
        return 0
    if options.command == "plan":
        return _plan(options)
    if options.command == "fetch":
        return _fetch(options)
    if options.command == "review":
        return _review(options)
    if options.command == "cost":
        from wsss.commands.cost import cost

        sys.stdout.write(cost(options.folder))
        return 0
    if options.command == "import-weights":
        from wsss.commands.import_weights import VOC_CLASSES, import_weights

        classes = VOC_CLASSES if options.voc else options.classes
        message = import_weights(
            options.network,
            options.file,
            options.output,
            classes=classes,
            overwrite=options.overwrite,
        )
        sys.stdout.write(f"{message}\n")
        return 0
    from wsss.commands.predict import predict

    failures = predict(
        options.segmenter,
        options.images,
        options.output,
        crf=options.crf,
        scales=options.scales,
        flip=options.flip,
        overlay=options.overlay,
        longest_side=options.longest_side,
        batch_size=options.batch_size,
        threads=options.threads,
        overwrite=options.overwrite,
    )
    if failures:
        lines = "".join(f"  {reason}\n" for reason in failures.values())
        sys.stderr.write(f"wsss: error: {len(failures)} images could not be segmented:\n{lines}")
    return 1 if failures else 0


def _plan(options: argparse.Namespace) -> int:
    from wsss.commands.plan import find_rates, plan, save_rates

    told = {"machine": options.machine, "gpu": options.gpu, "cores": options.cores}
    if options.save:
        sys.stdout.write(save_rates(options.rates, options.save, **told))
        return 0
    text = plan(
        options.targets,
        configfiles=options.configfile,
        profile=options.profile,
        measured=find_rates(options.rates, **told),
    )
    sys.stdout.write(text)
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from wsss.commands.fetch import fetch_all, listing

    if options.list:
        sys.stdout.write(listing())
    else:
        fetch_all(options.names)
    return 0


def _review(options: argparse.Namespace) -> int:
    from wsss.commands.review import review

    told = review(
        options.folder,
        host=options.host,
        port=options.port,
        annotator=options.annotator,
        open_browser=options.browser,
    )
    sys.stdout.write(f"{told}\n")
    return 0


def _check(folder: Path) -> int:
    from wsss.commands.check import check

    count, broken = check(folder)
    for finding in broken:
        remedy = f"; {' or '.join(finding.rules)} makes it" if finding.rules else ""
        sys.stdout.write(f"{finding.path}: {finding.reason}{remedy}\n")
    sys.stdout.write(f"{count} files read, {len(broken)} broken\n")
    return 1 if broken else 0


def _sentence(error: BaseException) -> str:
    # The text of a KeyError is quoted by str().
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="wsss", description=DESCRIPTION, formatter_class=layout)
    parser.add_argument("--version", action="version", version=f"wsss {version('wsss')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_predict(
        commands.add_parser(
            "predict",
            help="segment new images",
            description=PREDICT,
            epilog=PREDICT_OUTPUT,
            formatter_class=layout,
        )
    )
    _add_import(
        commands.add_parser(
            "import-weights",
            help="make a file of this project out of a checkpoint of others",
            description=IMPORT,
            epilog=IMPORT_OUTPUT,
            formatter_class=layout,
        )
    )
    _add_plan(
        commands.add_parser(
            "plan",
            help="what a run would cost",
            description=PLAN,
            epilog=PLAN_EXAMPLES,
            formatter_class=layout,
        )
    )
    _add_review(
        commands.add_parser(
            "review",
            help="prune the candidates of an OoD set in a browser",
            description=REVIEW,
            epilog=REVIEW_EXAMPLES,
            formatter_class=layout,
        )
    )
    fetch = commands.add_parser(
        "fetch",
        help="download data sets and ImageNet weights",
        description=FETCH,
        formatter_class=layout,
    )
    fetch.add_argument("names", nargs="*", metavar="NAME", help="what to fetch, see --list")
    fetch.add_argument("--list", action="store_true", help="what there is: size, place, licence")
    fetch.add_argument("--debug", action="store_true", help="show the traceback of an error")
    cost = commands.add_parser(
        "cost", help="what a run did cost", description=COST, formatter_class=layout
    )
    cost.add_argument("folder", type=Path, metavar="RESULTS")
    cost.add_argument("--debug", action="store_true", help="show the traceback of an error")
    check = commands.add_parser(
        "check", help="find broken files of a run", description=CHECK, formatter_class=layout
    )
    check.add_argument("folder", type=Path, metavar="RESULTS")
    check.add_argument("--debug", action="store_true", help="show the traceback of an error")
    _add_recover(
        commands.add_parser(
            "recover",
            help="end what a killed run left behind",
            description=RECOVER,
            formatter_class=layout,
        )
    )
    return parser


def _add_predict(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    switch = argparse.BooleanOptionalAction
    add("segmenter", type=Path, metavar="SEGMENTER.safetensors")
    add("images", type=Path, nargs="+", metavar="FOLDER_OR_IMAGE")
    add("--output", type=Path, required=True, help="folder of the results, new or empty")
    add("--crf", action=switch, default=True, help="smooth the masks by a dense CRF (default: yes)")
    add(
        "--scales",
        type=_scales,
        default=(1.0,),
        metavar="S,S,...",
        help="factors on the image's size whose probabilities are averaged (default: 1)",
    )
    add("--flip", action="store_true", help="average with the mirror image, too")
    add("--overlay", action=switch, default=True, help="draw overlays (default: yes)")
    add(
        "--longest-side",
        type=_count,
        default=1024,
        metavar="PIXELS",
        help="larger images are shrunk to this for the network and the CRF; their masks are "
        "enlarged again (default: 1024)",
    )
    add("--batch-size", type=_count, default=4, help="images of one size at a time (default: 4)")
    add("--threads", type=_count, default=os.cpu_count() or 1, help="CPU cores (default: all)")
    _add_common(parser)


def _add_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "network",
        choices=("classifier", "seam", "eps", "irn", "segmenter"),
        help="what the checkpoint holds",
    )
    add("file", type=Path, metavar="FILE", help="the checkpoint (.pth)")
    add("--output", type=Path, required=True, metavar="OUT.safetensors")
    classes = parser.add_mutually_exclusive_group()
    classes.add_argument(
        "--classes", type=_names, metavar="a,b,c", help="foreground classes in the network's order"
    )
    classes.add_argument("--voc", action="store_true", help="the 20 classes of PASCAL VOC")
    _add_common(parser)


def _add_recover(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="where snakemake was started"
    )
    parser.add_argument(
        "--cancel",
        choices=("none", "waiting", "all"),
        default="none",
        help="SLURM jobs to cancel first: those that still wait in the queue, or all; what was "
        "under way is then made again, trainings from their last state (default: none)",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_review(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, metavar="RESULTS/DATASET/ood/OOD_SET")
    add("--port", type=_port, metavar="N", help="of the page (default: 8765, or the next free one)")
    add(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: 127.0.0.1, which only this machine reaches)",
    )
    add("--annotator", metavar="NAME", help="name that the page proposes (default: your login's)")
    add(
        "--browser",
        action=argparse.BooleanOptionalAction,
        default="DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ,
        help="open the page in a browser (default: where there is a desktop)",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("targets", nargs="*", metavar="TARGET", help="files or rules (default: all of the config)")
    add(
        "--configfile",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="as for snakemake; once for each file",
    )
    add("--profile", metavar="NAME", help="as for snakemake: memory and run times may stand there")
    add(
        "--rates",
        type=Path,
        action="append",
        default=[],
        metavar="RESULTS",
        help="results folder whose jobs tell how fast the machine is, or a table made by --save; "
        "once for each",
    )
    add("--gpu", action="store_true", help="the jobs of --rates that can use a GPU had one")
    add("--machine", metavar="NAME", help='what the jobs of --rates ran on, as "one A100"')
    add("--cores", type=_count, metavar="N", help="the --cores that the runs of --rates had")
    add("--save", type=Path, metavar="FILE", help="only write the rates of --rates to a table")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier result")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _scales(text: str) -> tuple[float, ...]:
    try:
        scales = tuple(float(part) for part in text.split(","))
    except ValueError:
        scales = ()
    if not scales or not all(0.1 <= scale <= 4 for scale in scales):
        raise argparse.ArgumentTypeError(f"{text!r}: give factors from 0.1 to 4, as 0.5,1")
    return scales


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise argparse.ArgumentTypeError(f"{text!r}: give different names, as cat,dog")
    return names


if __name__ == "__main__":
    sys.exit(main())
