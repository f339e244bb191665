// The terminal of the pages: xterm.js with its add-ons behind the few words that the wasm uses. Fetched only where
// a terminal is shown. What a terminal says and does is decided in `app/src/sessions`; nothing here knows a session.

import { Terminal } from '@xterm/xterm';
import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import '@xterm/xterm/css/xterm.css';

/** Characters that a node may put into the clipboard. */
const CLIPBOARD_MAX = 100_000;
/** Pause after the last change of size, in milliseconds. */
const SETTLED = 80;
const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** The colours of the style sheet. */
function theme(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--term-${name}`).trim() || undefined;
  const colours = {
    background: read('ground'), foreground: read('ink'), cursor: read('cursor'), cursorAccent: read('ground'),
    selectionBackground: read('selection'), selectionInactiveBackground: read('selection'),
    scrollbarSliderBackground: read('slider'), scrollbarSliderHoverBackground: read('slider-hover'),
    scrollbarSliderActiveBackground: read('slider-hover'),
  };
  for (const name of COLOURS) {
    colours[name] = read(name);
    colours[`bright${name[0].toUpperCase()}${name.slice(1)}`] = read(`bright-${name}`);
  }
  return colours;
}

/** A node may fill the clipboard of the person who types there, and never read it. */
const clipboard = (terminal) => ({
  readText: () => '',
  writeText: async (selection, text) => {
    if (selection !== 'c' || terminal.options.disableStdin || text.length > CLIPBOARD_MAX) return;
    if (document.hasFocus()) await navigator.clipboard.writeText(text).catch(() => {});
  },
});

function openLink(event, address) {
  if (/^https?:/i.test(address)) window.open(address, '_blank', 'noopener,noreferrer');
}

let card;

/** Asked once: browsers allow few contexts at a time. */
function hasGraphicsCard() {
  if (card === undefined) {
    const probe = globalThis.document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
    const names = probe?.getExtension('WEBGL_debug_renderer_info');
    const name = names ? probe.getParameter(names.UNMASKED_RENDERER_WEBGL) : '';
    card = Boolean(probe) && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
    probe?.getExtension('WEBGL_lose_context')?.loseContext();
  }
  return card;
}

class Screen {
  #terminal;
  #fit = new FitAddon();
  #search = new SearchAddon();
  #element;
  #undo = [];
  #webgl;

  /** `say(what, value)` is told what happens; for `key` its answer says whether the key is dealt with. */
  constructor(element, cols, rows, fontSize, interactive, say) {
    this.#element = element;
    const terminal = new Terminal({
      cols, rows, fontSize, documentOverride: document, allowProposedApi: true,
      fontFamily: getComputedStyle(element).getPropertyValue('--font-mono'),
      lineHeight: 1.2, scrollback: 10_000, cursorBlink: false, minimumContrastRatio: 4.5, theme: theme(element),
      disableStdin: true, macOptionIsMeta: true, rightClickSelectsWord: false, rescaleOverlappingGlyphs: true,
    });
    this.#terminal = terminal;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(this.#search);
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = '11';
    terminal.loadAddon(new WebLinksAddon(openLink));
    if (interactive) terminal.loadAddon(new ClipboardAddon(undefined, clipboard(terminal)));
    // Where nothing can be typed the browser keeps its keys, Tab above all.
    terminal.attachCustomKeyEventHandler((event) => this.#key(event, say) && interactive);
    terminal.onData((text) => say('data', text));
    terminal.onBinary((text) => say('binary', text));
    terminal.onTitleChange((title) => say('title', title));
    this.#search.onDidChangeResults(({ resultIndex, resultCount }) => say('results', `${resultIndex + 1} ${resultCount}`));
    terminal.open(element);
    this.#sharpen();
    // Taken from xterm before it pastes: what is pasted goes out in pieces and can be stopped.
    const paste = (event) => {
      event.preventDefault();
      event.stopPropagation();
      const text = event.clipboardData?.getData('text/plain');
      if (text) say('paste', text);
    };
    element.addEventListener('paste', paste, { capture: true });
    let settling;
    const sizes = new ResizeObserver(() => {
      clearTimeout(settling);
      settling = setTimeout(() => say('size', ''), SETTLED);
    });
    sizes.observe(element);
    const repaint = () => { terminal.options.theme = theme(element); };
    const themes = new MutationObserver(repaint);
    themes.observe(globalThis.document.documentElement, { attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', repaint);
    this.#undo.push(
      () => element.removeEventListener('paste', paste, { capture: true }),
      () => { clearTimeout(settling); sizes.disconnect(); },
      () => themes.disconnect(),
      () => dark.removeEventListener('change', repaint),
    );
  }

  /** WebGL where a graphics card does it; in software it would be slower than plain elements. */
  #sharpen() {
    if (!hasGraphicsCard()) return;
    try {
      this.#webgl = new WebglAddon();
      this.#webgl.onContextLoss(() => this.#webgl?.dispose());
      this.#terminal.loadAddon(this.#webgl);
    } catch {
      this.#webgl = undefined;
    }
  }

  /** Keys of the page around the terminal; all others are the shell's. */
  #key(event, say) {
    if (!(event.ctrlKey && event.shiftKey) || event.altKey || event.metaKey) return true;
    const what = {
      KeyC: 'copy', KeyV: 'native', KeyF: 'find', Escape: 'leave',
      Equal: 'larger', NumpadAdd: 'larger', Minus: 'smaller', NumpadSubtract: 'smaller', Digit0: 'plain', Numpad0: 'plain',
    }[event.code];
    if (!what) return true;
    // The browser's own pasting, which needs no permission, follows when nobody says no.
    if (what === 'native') return false;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === 'keydown') {
      if (what === 'copy') this.copy();
      else say('key', what);
    }
    return false;
  }

  /** Writes text or bytes; `done` is called once they are worked off. */
  write(data, done) { this.#terminal.write(data, done); }
  /** After everything that was written before. */
  reset() { this.#terminal.write('', () => this.#terminal.reset()); }
  /** After everything that was written before. */
  resize(cols, rows) {
    this.#terminal.write('', () => {
      if (cols !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(cols, rows);
    });
  }
  /** Columns and rows for which there is room, as text; empty when the terminal is out of sight. */
  room() {
    if (this.#element.clientHeight === 0) return '';
    const size = this.#fit.proposeDimensions();
    return size && size.cols > 1 && size.rows > 1 ? `${Math.min(size.cols, 1000)} ${Math.min(size.rows, 1000)}` : '';
  }
  size() { return `${this.#terminal.cols} ${this.#terminal.rows}`; }
  focus() { this.#terminal.focus(); }
  blur() { this.#terminal.blur(); }
  readOnly(on) { this.#terminal.options.disableStdin = on; }
  fontSize(size) { this.#terminal.options.fontSize = size; }
  spoken(on) { this.#terminal.options.screenReaderMode = on; }
  brackets() { return this.#terminal.modes.bracketedPasteMode; }
  copy() {
    const text = this.#terminal.getSelection();
    if (text) navigator.clipboard.writeText(text).catch(() => {});
    return text.length > 0;
  }
  find(text, back) {
    const style = getComputedStyle(this.#element);
    const colour = (name) => style.getPropertyValue(`--term-${name}`).trim();
    const options = {
      decorations: {
        matchBackground: colour('match'), activeMatchBackground: colour('match-active'),
        matchOverviewRuler: colour('match'), activeMatchColorOverviewRuler: colour('match-active'),
      },
    };
    return back ? this.#search.findPrevious(text, options) : this.#search.findNext(text, options);
  }
  clearFind() { this.#search.clearDecorations(); }
  /** The text on the screen and above it, for tests and for copying all. */
  text() {
    const buffer = this.#terminal.buffer.active;
    const lines = [];
    for (let at = 0; at < buffer.length; at += 1) {
      const line = buffer.getLine(at);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join('\n');
  }
  dispose() {
    for (const undo of this.#undo) undo();
    this.#terminal.dispose();
  }
}

/** The screens that are open, by element: how tests read what is drawn on a canvas. */
const screens = new WeakMap();

globalThis.musterTerminal = {
  /** A terminal in `element`. */
  open(element, cols, rows, fontSize, interactive, say) {
    const screen = new Screen(element, cols, rows, fontSize, interactive, say);
    screens.set(element, screen);
    return screen;
  },
  textOf: (element) => screens.get(element)?.text() ?? '',
  sizeOf: (element) => screens.get(element)?.size() ?? '',
  /** Measured before the font is there, cells would have the wrong size. */
  ready: globalThis.document.fonts.load('14px "JetBrains Mono Variable"').then(() => true, () => false),
};
