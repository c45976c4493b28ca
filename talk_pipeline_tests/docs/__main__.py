"""Writes the documents that are made from the code."""

from talk_pipeline_tests.docs.documents import ROOT, documents

for path, text in documents().items():
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / path).write_text(text, encoding="utf-8")
    print(path)
