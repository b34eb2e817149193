"""Pure rules about pictures of faces: geometry, quality, frame sampling, tracks.

Arrays and records in, records out. No file, model or decoder is touched here; what detects and
embeds stands behind the `FaceEngine` protocol and lives in `resources.vision`.
"""
