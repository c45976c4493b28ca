"""`python -m talk_pipeline` is `talk-pipeline`."""

from talk_pipeline.cli.entry import run

if __name__ == "__main__":
    run()
