"""Documents: what packed files say, whatever their parts were packed to.

packed_document.py  what an archive, a PDF or a pack says, whatever its parts were packed to
zip_archive.py      what they say, and where their packed members stand
pdf_document.py     what they say, and where their packed streams stand
git_pack.py         and packed objects of Git's
"""
