"""Write the list of words that sweeps show: the most common English ones, and those of the published records.

The order is that of the corpus; what the records have besides comes at the end, by the alphabet. Run it from
the root of the repository.
"""

import re
from pathlib import Path

from wordfreq import top_n_list

from clipbench.studies.records import region_units, top_words

COMMON = 10_000
TARGET = Path("clipbench/stimuli/words.txt")
_WORD = re.compile(r"[^\W\d_]+(['’-][^\W\d_]+)*")


def main() -> None:
    listed = top_n_list("en", 2 * COMMON)
    common = [word for word in listed if _WORD.fullmatch(word)][:COMMON]
    published = {word for words in top_words() for word in words}
    published |= {word for unit in region_units() for word in unit.words}
    words = [*common, *sorted(published - set(common))]
    TARGET.write_text("\n".join(words) + "\n", encoding="utf-8")
    print(f"{len(common)} common words, {len(words) - len(common)} more of the records")


if __name__ == "__main__":
    main()
