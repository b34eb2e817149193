"""The questions that people ask of an archive, one SQL file each, and how they are asked.

A question is its file: the first line is its title, the comment after it a sentence for its
reader, and the parameters in it (`$chat`, `$person`, `$since`, `$today`, `$limit`) are what it
can be narrowed by. People who are hidden are in no answer; of most marts they are no part to
begin with.
"""
