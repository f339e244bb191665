//! Puts what [`super::Fixed`] has written into a page. Not Leptos' own inert element: in the browser that keeps a
//! template of every text it ever saw, and looks through all of them each time; lists that renew themselves for days
//! would fill the memory. And a row whose age has changed must not lose the focus that is on its link.

use leptos::prelude::*;
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::CastFrom as _;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::{Position, PositionState};
use leptos::wasm_bindgen::JsCast as _;

/// An element, with the places of its parts where it has some.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FixedView {
    /// All of it, but for the end tag where there are parts.
    text: String,
    /// Where the start tag ends, and then each of the elements inside: these are replaced one by one when they change.
    ends: Vec<usize>,
    /// The end tag where there are parts, or nothing.
    end: &'static str,
}

impl FixedView {
    pub(super) fn whole(text: String) -> Self {
        Self {
            text,
            ends: Vec::new(),
            end: "",
        }
    }

    pub(super) fn with_parts(text: String, ends: Vec<usize>, end: &'static str) -> Self {
        Self { text, ends, end }
    }

    fn head(&self) -> &str {
        let end = self.ends.first().copied().unwrap_or(self.text.len());
        self.text.get(..end).unwrap_or_default()
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        let ends = self.ends.iter().skip(1);
        let places = self.ends.iter().zip(ends);
        places.map(|(from, to)| self.text.get(*from..*to).unwrap_or_default())
    }

    fn element(&self) -> Element {
        element_of(&[&self.text, self.end].concat())
    }
}

/// The first element in a text; an empty one when there is none.
fn element_of(text: &str) -> Element {
    let Ok(template) = document().create_element("template") else {
        unreachable!("`template` is a valid name");
    };
    template.set_inner_html(text);
    let content = template
        .dyn_ref::<web_sys::HtmlTemplateElement>()
        .map(web_sys::HtmlTemplateElement::content);
    content
        .and_then(|content| content.first_element_child())
        .unwrap_or(template)
}

/// Gives an element the attributes of another.
fn take_attributes(element: &Element, from: &Element) {
    for name in element
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
    {
        if !from.has_attribute(&name) {
            let _ = element.remove_attribute(&name);
        }
    }
    for name in from
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
    {
        let value = from.get_attribute(&name).unwrap_or_default();
        let _ = element.set_attribute(&name, &value);
    }
}

/// What stands in the page.
pub(crate) struct FixedState {
    view: FixedView,
    element: Element,
}

impl Mountable for FixedState {
    fn unmount(&mut self) {
        self.element.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.element.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.element.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.element.clone()]
    }
}

impl Render for FixedView {
    type State = FixedState;

    fn build(self) -> FixedState {
        let element = self.element();
        FixedState { view: self, element }
    }

    fn rebuild(self, state: &mut FixedState) {
        let before = &state.view;
        if *before == self {
            return;
        }
        let children = state.element.children();
        let same_shape = !self.end.is_empty()
            && before.end == self.end
            && before.ends.len() == self.ends.len()
            && children.length() as usize + 1 == self.ends.len();
        if same_shape {
            if before.head() != self.head() {
                take_attributes(&state.element, &element_of(&[self.head(), self.end].concat()));
            }
            let parts = before.parts().zip(self.parts()).zip(0_u32..);
            for ((_, part), at) in parts.filter(|((before, part), _)| before != part) {
                if let Some(old) = children.item(at) {
                    let _ = old.replace_with_with_node_1(&element_of(part));
                }
            }
        } else {
            let mut element = self.element();
            state.element.insert_before_this(&mut element);
            state.element.unmount();
            state.element = element;
        }
        state.view = self;
    }
}

impl AddAnyAttr for FixedView {
    type Output<SomeNewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _attr: NewAttr) -> Self {
        // It is text already; nothing in these pages spreads attributes over it.
        self
    }
}

impl RenderHtml for FixedView {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn html_len(&self) -> usize {
        self.text.len() + self.end.len()
    }

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
        buf.push_str(&self.text);
        buf.push_str(self.end);
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> FixedState {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        let Some(element) = Element::cast_from(cursor.current()) else {
            unreachable!("the server has written an element here, too");
        };
        position.set(Position::NextChild);
        FixedState { view: self, element }
    }

    fn into_owned(self) -> Self {
        self
    }
}
