import logging
import os
import subprocess
import sys
import warnings

from wsss.logs import log_to


def test_lines_and_warnings_go_to_the_file(tmp_path):
    path = tmp_path / "deep" / "stage.log"
    log_to(path)
    logging.getLogger("wsss.part").info("half way")
    warnings.warn("a warning", stacklevel=1)
    text = path.read_text()
    assert "INFO wsss.part: half way" in text and "a warning" in text


def test_a_second_run_starts_the_file_anew(tmp_path):
    for word in ("first", "second"):
        log_to(tmp_path / "stage.log")
        logging.getLogger().info(word)
    text = (tmp_path / "stage.log").read_text()
    assert "second" in text and "first" not in text


def test_an_uncaught_error_is_one_sentence_for_a_person(tmp_path, capsys):
    log_to(tmp_path / "stage.log")
    try:
        raise ValueError("image 7 is broken: delete it")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    said = capsys.readouterr().err
    assert said == f"ValueError: image 7 is broken: delete it (details: {tmp_path / 'stage.log'})\n"
    text = (tmp_path / "stage.log").read_text()
    assert "Traceback" in text and "image 7 is broken" in text


def test_a_stage_that_fails_says_so_and_ends_with_an_error(tmp_path):
    code = (
        f"from wsss.logs import log_to; log_to({str(tmp_path / 'a.log')!r}); raise OSError('full')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("OSError: full (details: ")


def test_a_disk_that_takes_no_line_does_not_stop_a_stage(tmp_path, capsys):
    log_to(tmp_path / "stage.log")
    (handler,) = logging.getLogger().handlers
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, handler.descriptor)
    os.close(full)
    for word in ("first", "second"):
        logging.getLogger().info(word)
    assert capsys.readouterr().err == (
        f"{tmp_path / 'stage.log'} loses lines: No space left on device\n"
    )


def test_a_line_whose_arguments_do_not_fit_does_not_stop_a_stage(tmp_path, capsys):
    log_to(tmp_path / "stage.log")
    logging.getLogger().info("%d images", "many")
    logging.getLogger().info("and on")
    assert "and on" in (tmp_path / "stage.log").read_text()
    assert "Logging error" in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "logs").touch()
    path = tmp_path / "logs" / "stage.log"
    code = f"from wsss.logs import log_to; log_to({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"WriteError: {path} cannot be written: a folder above it is a file; move that file away, "
        "and start again\n"
    )
