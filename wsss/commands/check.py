"""Read every file of a results folder and say which are broken and what makes them again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from PIL import Image

from wsss.progress import progress
from wsss.store.hdf5 import verify_hdf5
from wsss.store.tables import read_table
from wsss.store.weights import load_weights

# What makes which file, by patterns of the path's end; the first that fits counts.
RULES = (
    ("ood/*/images/*", "erase_ood"),
    ("ood/*/ranking*.csv", "rank_ood"),
    ("ood/*/decisions*.csv", "decide_oracle, decide_none or decide_manual"),
    ("ood/*/selected.csv", "select_hard, select_random, select_random_hard or erase_ood"),
    ("tables/metrics.csv", "collect_metrics"),
    ("tables/curves.csv", "collect_metrics"),
    ("tables/training.csv", "collect_metrics"),
    ("tables/*", "make_table"),
    ("figures/tiles/*/*", "draw_data_sheet or a panel's rule"),
    ("figures/*", "draw_figure, a sheet's or a panel's rule"),
    ("index.csv", "prepare_data"),
    ("classes.csv", "prepare_data"),
    ("ground_truth.csv", "prepare_data"),
    ("ood_scores/*.h5", "score_ood"),
    ("features.h5", "extract_features"),
    ("clusters.h5", "cluster_ood"),
    ("classifier.safetensors", "train_classifier or train_wood"),
    ("maps/*.h5", "localize"),
    ("seed_metrics.csv", "evaluate_seeds"),
    ("threshold_curve.csv", "evaluate_seeds"),
    ("confident_labels/*/*.png", "label_irn"),
    ("irn.safetensors", "train_irn"),
    ("pseudo_masks/*/*.png", "refine_maps or walk_irn"),
    ("segmenter.safetensors", "train_segmenter"),
)
