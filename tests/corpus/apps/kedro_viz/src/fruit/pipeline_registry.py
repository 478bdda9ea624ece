from kedro.pipeline import node, pipeline


def clean(raw):
    """Drop what has no price."""
    return raw.dropna()


def cheapest(clean, most):
    return clean[clean["price"] <= most]


def report(cheap):
    return {"count": len(cheap)}


def register_pipelines():
    cleaning = pipeline(
        [node(clean, "raw_fruit", "fruit", name="clean", tags=["daily"])],
        namespace="cleaning",
        inputs="raw_fruit",
        outputs="fruit",
    )
    reporting = pipeline(
        [
            node(cheapest, ["fruit", "params:most"], "cheap", name="cheapest", tags=["daily"]),
            node(report, "cheap", "report", name="report"),
        ]
    )
    return {"__default__": cleaning + reporting, "cleaning": cleaning, "reporting": reporting}
