"""Settings -> the classifier; apart from the wiring, so that `classify` and `evaluate` need not load the whole flow."""

from pipeline.settings import Settings
from pipeline.stages.classify import Classifier, Cuts, load


def make_classifier(settings: Settings) -> Classifier:
    """The classifier, with the model and the cuts of the settings.

    Raises:
        UsageError: the model is not there, or is none of this version.
    """
    return load(settings.classify.model, Cuts(settings.classify.threshold, (settings.review.low, settings.review.high)))
