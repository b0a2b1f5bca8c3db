"""The baseline: character n-gram TF-IDF with one-vs-rest logistic regression (scikit-learn).

The same pipeline, exported to plain arrays, is the lexical view of the BERT model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from zhuti.decision import Floats
from zhuti.lexical import NGRAMS, LexicalView
from zhuti.model import BASELINE_FILE

MAX_TERMS = 60_000
INVERSE_REGULARISATION = 20.0


def fit_baseline(texts: list[str], targets: Floats) -> Pipeline:
    """:param texts: normalised. :param targets: (n, leaves). :return: a fitted pipeline with ``decision_function``."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=NGRAMS, min_df=2, sublinear_tf=True, max_features=MAX_TERMS, dtype=np.float32)
    regression = LogisticRegression(C=INVERSE_REGULARISATION, solver="liblinear", max_iter=300)
    return make_pipeline(vectorizer, OneVsRestClassifier(regression)).fit(texts, targets)


def export_lexical(pipeline: Pipeline) -> LexicalView:
    """:return: the same linear model as plain arrays; terms with a line break, which normalised text cannot hold, are left out."""
    vectorizer, classifier = pipeline[0], pipeline[1]
    terms = vectorizer.get_feature_names_out().tolist()
    weight = np.stack([estimator.coef_[0] for estimator in classifier.estimators_], axis=1).astype(np.float32)
    bias = np.array([estimator.intercept_[0] for estimator in classifier.estimators_], np.float32)
    keep = [row for row, term in enumerate(terms) if "\n" not in term]
    return LexicalView([terms[row] for row in keep], vectorizer.idf_[keep].astype(np.float32), weight[keep], bias)


def save_baseline(pipeline: Pipeline, folder: Path) -> None:
    """Write ``baseline.skops``: no pickle."""
    from skops.io import dump

    vectorizer = pipeline[0]  # skops makes a file of each numpy number, and every term has one
    vectorizer.vocabulary_ = {term: int(place) for term, place in vectorizer.vocabulary_.items()}
    dump(pipeline, folder / BASELINE_FILE)
