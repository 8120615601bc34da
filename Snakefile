from snakemake.utils import min_version

min_version("9.14")

if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "workflow/rules/start.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/report_inputs.smk"
include: "workflow/rules/diagnose_inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/classify.smk"
include: "workflow/rules/ood.smk"
include: "workflow/rules/localize.smk"
include: "workflow/rules/refine.smk"
include: "workflow/rules/segment.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/fetch.smk"


# A second's work, which needs no job of a cluster. What stops for want of a person says so at once.
localrules:
    all,
    decide_manual,
    write_config,
    voc_submission,


rule all:
    default_target: True
    input:
        f"{R}/report.html",
        f"{R}/config.yaml",
        wanted_tables(),
        wanted_figures(),
        wanted_panels(),
        wanted_diagnostics(),
