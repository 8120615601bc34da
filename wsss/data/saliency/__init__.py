"""Where saliency maps come from: a file for each kind, with `saliency_maps` and `SOURCE`."""
