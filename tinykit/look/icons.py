"""Line icons on a 16 px grid. Shapes differ as well as colours, so that a state reads in grey too."""

# ruff: noqa: E501  (paths are not prose)
PATHS = {
    "ok": '<circle cx="8" cy="8" r="6.75"/><path d="M5 8.2l2.1 2.1L11 6.2"/>',
    "warn": '<path d="M8 1.8L15 14H1z"/><path d="M8 6.4v3.4M8 11.6v.6"/>',
    "bad": '<path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z"/><path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8"/>',
    "none": '<circle cx="8" cy="8" r="6.25" stroke-dasharray="2.6 2.3"/>',
    "run": '<circle cx="8" cy="8" r="6.25" opacity=".35"/><path d="M8 1.75A6.25 6.25 0 0 1 14.25 8"/>',
    "link": '<path d="M6.6 9.4l2.8-2.8M7.2 4.6l1.3-1.3a3 3 0 0 1 4.2 4.2l-1.3 1.3M8.8 11.4l-1.3 1.3a3 3 0 0 1-4.2-4.2l1.3-1.3"/>',
    "unlink": '<path d="M7.2 4.6l1.3-1.3a3 3 0 0 1 4.2 4.2l-1.3 1.3M8.8 11.4l-1.3 1.3a3 3 0 0 1-4.2-4.2l1.3-1.3M2 2l12 12"/>',
    "board": '<rect x="4" y="1.75" width="8" height="12.5" rx="1"/><path d="M6.5 1.75v2h3v-2M6 7h4v3.5H6z"/>',
    "virt": '<rect x="4" y="1.75" width="8" height="12.5" rx="1" stroke-dasharray="2 1.6"/><path d="M6 7h4v3.5H6z" stroke-dasharray="1.5 1.2"/>',
    "pause": '<path d="M5 3v10M11 3v10" stroke-width="2.5"/>',
    "play": '<path d="M4.5 2.8l8.5 5.2-8.5 5.2z"/>',
    "stop": '<rect x="3.5" y="3.5" width="9" height="9"/>',
    "rec": '<circle cx="8" cy="8" r="5.5" fill="currentColor" stroke="none"/>',
    "keep": '<path d="M8 2v7.5M4.8 6.6L8 9.8l3.2-3.2M2.5 13.5h11"/>',
    "tag": '<path d="M2 2.5h5.6l6 6-5.2 5.2-6.4-6.4z"/><path d="M5 5.5v.01" stroke-width="2"/>',
    "bin": '<path d="M2.5 4h11M6 4V2.2h4V4M4 4l.6 9.8h6.8L12 4"/>',
    "undo": '<path d="M5.5 2.5L2.5 5.5l3 3M2.5 5.5h6.2a4 4 0 0 1 0 8H5"/>',
    "next": '<path d="M2.5 8h10M9 4.5L12.5 8 9 11.5"/>',
    "help": '<circle cx="8" cy="8" r="6.5"/><path d="M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.6v.2"/>',
    "mic": '<rect x="6" y="1.5" width="4" height="8" rx="2"/><path d="M3.5 7.5a4.5 4.5 0 0 0 9 0M8 12v2.5"/>',
    "wrong": '<path d="M3 2.5h10v8H8l-3 3v-3H3z"/><path d="M6.3 4.8l3.4 3.4M9.7 4.8L6.3 8.2"/>',
    "lock": '<rect x="3" y="7" width="10" height="7" rx="1"/><path d="M5 7V5a3 3 0 0 1 6 0v2"/>',
    "bulb": '<path d="M5.8 11.2A4.6 4.6 0 1 1 10.2 11.2V13H5.8zM6.3 14.8h3.4"/>',
}


def svg(name: str) -> str:
    """The icon as an SVG element in the colour of the text around it; KeyError if there is none."""
    return (
        '<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true">{PATHS[name]}</svg>'
    )
