// A small text on which models are measured that are made of others: prose of several kinds, a
// little code, figures and other languages. Its hash stands in the records; a change of the text
// makes older measurements incomparable.
#pragma once

namespace heft::app {

inline constexpr const char kBuiltInText[] =
    R"(Once there was a young fox who lived at the edge of a quiet forest. Every evening she walked
down to the river and looked at the lights of the village on the other side. One night the lights
went out, and the fox heard somebody calling for help. She took the old lantern that hung in the
hollow tree, held it carefully between her teeth, and swam across the cold water. A small boy stood
on the bank. He had lost his way home. "Follow me," said the fox, and because the boy was tired and
afraid, he did. When they came to his door, his mother gave the fox a warm blanket and a bowl of
soup, and from that day on they were friends.

The measurement of a quantity is never exact. An instrument has a limited resolution, the person who
reads it makes small mistakes, and the quantity itself may change while it is being observed. For
that reason a careful report gives not only a value but also its uncertainty: a length of 2.50 m
with an error of 0.02 m means that the true length is probably between 2.48 m and 2.52 m. If the
same measurement is repeated many times, the mean of the results becomes more reliable, and its
error falls with the square root of their number.

def count_words(lines):
    counts = {}
    for line in lines:
        for word in line.lower().split():
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])

Question: A train leaves at 9:40 and arrives at 11:15. How long does the journey take?
Answer: From 9:40 to 10:40 is one hour, and from 10:40 to 11:15 are 35 minutes. The journey takes
one hour and 35 minutes.

Der Bibliothekar stellte die Leiter an das Regal und suchte lange nach dem richtigen Buch. Le matin,
la ville se réveille lentement et les boulangers ouvrent leurs portes. El agua del río estaba fría,
pero los niños no tenían miedo.

The city council met on Tuesday to discuss the new bridge. Members agreed that the old one is no
longer safe for heavy traffic, but they could not agree on who should pay for it. The mayor said
that a decision would be made before the end of the year. "People need to get to work," she told
reporters after the meeting, "and they will not wait forever."
)";

}  // namespace heft::app
