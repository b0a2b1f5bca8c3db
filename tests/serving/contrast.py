"""Measures in the browser whether every text can be told from what is behind it."""

# Every visible text with its contrast to what is painted behind it; an element's opacity takes both towards what is behind the element.
# Colours of any notation go through a canvas.
CONTRAST = """() => {
  const pixel = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => { pixel.clearRect(0, 0, 1, 1); pixel.fillStyle = colour; pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const paper = rgba(getComputedStyle(document.body).backgroundColor);
  const paint = (elements, ink, below) => { if (!elements.length) return over(ink, below);
    const style = getComputedStyle(elements[0]);
    const whole = paint(elements.slice(1), ink, over(rgba(style.backgroundColor), below));
    return over([...whole.slice(0, 3), +style.opacity], below); };
  const clear = [0, 0, 0, 0];
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const style = getComputedStyle(element);
    if (!walk.currentNode.data.trim() || !element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    if (element.closest('.hidden-text, .skip, script, noscript, option, :disabled')) continue;
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
    const inside = []; for (let e = element; e; e = e.parentElement) inside.unshift(e);
    const [text, behind] = [rgba(style.color), clear].map(ink => paint(inside, ink, paper));
    found.push([walk.currentNode.data.trim().slice(0, 20), ratio(text, behind), large ? 3 : 4.5]);
  }
  return found;
}"""
