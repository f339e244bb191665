//! Views in a `Suspend`, made once. While the server waits for what a page needs, the library goes through all that stands in
//! a `Suspense` several times, only to learn what is awaited there: each time it makes every view that could be shown by
//! then, and throws it away. A table of fifty rows was made twice for every page. Invariant: whatever is awaited inside such a
//! view has a `Suspense` of its own, or is awaited in a `Suspend`; a resource that is only looked at would not be waited for.

use leptos::prelude::*;

/// A view in a `Suspend` whose making is put off, on the server, until it is written into the page.
#[cfg(feature = "ssr")]
pub(crate) fn once<V: IntoView + 'static>(make: impl FnOnce() -> V + Send + 'static) -> AnyView {
    server::Late(Box::new(move || make().into_any())).into_any()
}

/// A view in a `Suspend` whose making is put off, on the server, until it is written into the page.
#[cfg(not(feature = "ssr"))]
pub(crate) fn once<V: IntoView + 'static>(make: impl FnOnce() -> V + Send + 'static) -> AnyView {
    make().into_any()
}

#[cfg(feature = "ssr")]
mod server {
    use leptos::prelude::*;
    use leptos::tachys::html::attribute::Attribute;
    use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
    use leptos::tachys::hydration::Cursor;
    use leptos::tachys::ssr::StreamBuilder;
    use leptos::tachys::view::{Position, PositionState};

    /// A view that is not made yet.
    pub(super) struct Late(pub(super) Box<dyn FnOnce() -> AnyView + Send>);

    impl Late {
        fn make(self) -> AnyView {
            (self.0)()
        }
    }

    impl Render for Late {
        type State = <AnyView as Render>::State;

        fn build(self) -> Self::State {
            self.make().build()
        }

        fn rebuild(self, state: &mut Self::State) {
            self.make().rebuild(state);
        }
    }

    impl AddAnyAttr for Late {
        type Output<SomeNewAttr: Attribute> = <AnyView as AddAnyAttr>::Output<SomeNewAttr>;

        fn add_any_attr<NewAttr: Attribute>(self, attr: NewAttr) -> Self::Output<NewAttr>
        where
            Self::Output<NewAttr>: RenderHtml,
        {
            self.make().add_any_attr(attr)
        }
    }

    impl RenderHtml for Late {
        type AsyncOutput = AnyView;
        type Owned = Self;

        const MIN_LENGTH: usize = 0;

        // Nothing to learn here: see the invariant.
        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> AnyView {
            self.make().resolve().await
        }

        fn to_html_with_buf(
            self,
            buf: &mut String,
            position: &mut Position,
            escape: bool,
            mark_branches: bool,
            extra_attrs: Vec<AnyAttribute>,
        ) {
            self.make()
                .to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
        }

        fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
            self,
            buf: &mut StreamBuilder,
            position: &mut Position,
            escape: bool,
            mark_branches: bool,
            extra_attrs: Vec<AnyAttribute>,
        ) where
            Self: Sized,
        {
            self.make().to_html_async_with_buf::<OUT_OF_ORDER>(
                buf,
                position,
                escape,
                mark_branches,
                extra_attrs,
            );
        }

        fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
            self.make().hydrate::<FROM_SERVER>(cursor, position)
        }

        fn into_owned(self) -> Self {
            self
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::once;
    use crate::components::Keeper;
    use leptos::prelude::*;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    fn counted(made: &Arc<AtomicUsize>) -> impl FnOnce() -> &'static str + Send + 'static + use<> {
        let made = Arc::clone(made);
        move || {
            made.fetch_add(1, Ordering::Relaxed);
            "words"
        }
    }

    #[test]
    fn a_view_is_made_when_it_is_written_and_not_before() {
        let made = Arc::new(AtomicUsize::new(0));
        let owner = Owner::new();
        let views = owner.with(|| [once(counted(&made)), Keeper::here().view(counted(&made))]);
        for (number, mut view) in views.into_iter().enumerate() {
            view.dry_resolve();
            view.dry_resolve();
            assert_eq!(made.load(Ordering::Relaxed), number, "nobody wants to see it yet");
            let resolved = pin!(view.resolve()).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(view) = resolved else {
                unreachable!("nothing is awaited in it")
            };
            assert_eq!(owner.with(|| view.to_html()), "words");
            assert_eq!(made.load(Ordering::Relaxed), number + 1, "once is enough");
        }
    }
}
