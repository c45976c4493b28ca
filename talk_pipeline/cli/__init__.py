"""The console script `talk-pipeline`: thin, over the functions that the assets use too."""
