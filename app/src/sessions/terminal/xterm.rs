//! xterm.js as `frontend/terminal` offers it: loading it, and the calls. The names on the other side are plain
//! properties, so nothing of it is in the wasm's own script.

use leptos::prelude::{document, window};
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::prelude::wasm_bindgen;
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// What the module leaves behind.
    type Module;
    /// Whether the font is there; never fails.
    #[wasm_bindgen(method, getter)]
    fn ready(this: &Module) -> js_sys::Promise;
    #[wasm_bindgen(method, catch)]
    fn open(
        this: &Module,
        element: &web_sys::Element,
        cols: u16,
        rows: u16,
        font_size: u8,
        interactive: bool,
        say: &js_sys::Function,
    ) -> Result<Screen, JsValue>;

    /// One terminal.
    #[derive(Clone)]
    pub(crate) type Screen;
    #[wasm_bindgen(method)]
    pub(crate) fn write(this: &Screen, data: &JsValue, done: &js_sys::Function);
    #[wasm_bindgen(method, js_name = write)]
    pub(crate) fn write_only(this: &Screen, data: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn reset(this: &Screen);
    #[wasm_bindgen(method)]
    pub(crate) fn resize(this: &Screen, cols: u16, rows: u16);
    #[wasm_bindgen(method)]
    fn room(this: &Screen) -> String;
    #[wasm_bindgen(method)]
    pub(crate) fn focus(this: &Screen);
    #[wasm_bindgen(method)]
    pub(crate) fn blur(this: &Screen);
    #[wasm_bindgen(method, js_name = readOnly)]
    pub(crate) fn read_only(this: &Screen, on: bool);
    #[wasm_bindgen(method, js_name = fontSize)]
    pub(crate) fn font_size(this: &Screen, size: u8);
    #[wasm_bindgen(method)]
    pub(crate) fn spoken(this: &Screen, on: bool);
    #[wasm_bindgen(method)]
    pub(crate) fn brackets(this: &Screen) -> bool;
    #[wasm_bindgen(method)]
    pub(crate) fn copy(this: &Screen) -> bool;
    #[wasm_bindgen(method)]
    pub(crate) fn find(this: &Screen, text: &str, back: bool) -> bool;
    #[wasm_bindgen(method, js_name = clearFind)]
    pub(crate) fn clear_find(this: &Screen);
    #[wasm_bindgen(method)]
    fn dispose(this: &Screen);
}

/// Two numbers in one text, as the module gives sizes and counts.
pub(crate) fn pair(text: &str) -> Option<(u16, u16)> {
    let (one, other) = text.split_once(' ')?;
    Some((one.parse().ok()?, other.parse().ok()?))
}

impl Screen {
    /// Columns and rows for which there is room; none when it is out of sight.
    pub(crate) fn space(&self) -> Option<(u16, u16)> {
        pair(&self.room())
    }
}

/// What a terminal says: which kind of thing, and its text.
pub(crate) type Say = Closure<dyn FnMut(String, String)>;

/// A terminal together with its ear; dropped, it goes.
pub(crate) struct Opened {
    screen: Screen,
    _say: Say,
}

impl Opened {
    /// The terminal.
    pub(crate) fn screen(&self) -> Screen {
        self.screen.clone()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.screen.dispose();
    }
}

fn module() -> Option<Module> {
    js_sys::Reflect::get(&window(), &"musterTerminal".into())
        .ok()
        .filter(|module| module.is_object())
        .map(JsCast::unchecked_into)
}

/// The folder that this page's script and styles come from.
fn folder() -> Option<String> {
    let link = document()
        .query_selector("link[rel=stylesheet][href*='/pkg/']")
        .ok()??;
    let href = link.get_attribute("href")?;
    Some(href.rsplit_once('/')?.0.to_owned())
}

/// An element of the head that loads something; one is enough for all.
fn loading(id: &str, make: impl FnOnce() -> Option<web_sys::Element>) -> Option<web_sys::Element> {
    if let Some(there) = document().get_element_by_id(id) {
        return Some(there);
    }
    let element = make()?;
    element.set_id(id);
    document().head()?.append_child(&element).ok()?;
    Some(element)
}

fn element(name: &str, attributes: &[(&str, &str)]) -> Option<web_sys::Element> {
    let element = document().create_element(name).ok()?;
    for (name, value) in attributes {
        element.set_attribute(name, value).ok()?;
    }
    Some(element)
}

/// Fetches xterm.js, once for a page; `None` when it cannot be fetched.
async fn load() -> Option<Module> {
    let folder = folder()?;
    let styles = format!("{folder}/terminal.css");
    loading("terminal-styles", || {
        element("link", &[("rel", "stylesheet"), ("href", &styles)])
    })?;
    if module().is_none() {
        let address = format!("{folder}/terminal.js");
        let script = loading("terminal-script", || {
            element("script", &[("type", "module"), ("src", &address)])
        })?;
        let arrived = js_sys::Promise::new(&mut |resolve, reject| {
            let _ = script.add_event_listener_with_callback("load", &resolve);
            let _ = script.add_event_listener_with_callback("error", &reject);
        });
        if JsFuture::from(arrived).await.is_err() {
            // So that the next try fetches it again.
            script.remove();
            return None;
        }
    }
    let module = module()?;
    let _ = JsFuture::from(module.ready()).await;
    Some(module)
}

/// Opens a terminal in `element`. `interactive` allows the node to fill the clipboard of whoever types there.
pub(crate) async fn open(
    element: &web_sys::Element,
    (cols, rows): (u16, u16),
    font_size: u8,
    interactive: bool,
    say: impl FnMut(String, String) + 'static,
) -> Option<Opened> {
    let module = load().await?;
    let say = Say::new(say);
    let screen = module
        .open(
            element,
            cols,
            rows,
            font_size,
            interactive,
            say.as_ref().unchecked_ref(),
        )
        .ok()?;
    Some(Opened { screen, _say: say })
}
