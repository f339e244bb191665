//! Things that only a browser has and that may not change threads: sockets, terminals. The server renders on many
//! threads, so there such a place stays empty: what it holds is made in an effect, and effects run in browsers only.

use leptos::prelude::*;

/// A place for a `T`, for as long as the component that made it is there.
pub(crate) struct Local<T: 'static>(StoredValue<Option<StoredValue<T, LocalStorage>>>);

impl<T: 'static> Clone for Local<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Local<T> {}

impl<T: Default + 'static> Local<T> {
    /// An empty place.
    pub(crate) fn new() -> Self {
        let place = StoredValue::new(None);
        Effect::new(move |_| place.set_value(Some(StoredValue::new_local(T::default()))));
        Self(place)
    }

    /// Reads what is there; `None` on the server, and once the component has gone.
    pub(crate) fn with<U>(self, read: impl FnOnce(&T) -> U) -> Option<U> {
        self.0.try_get_value().flatten()?.try_with_value(read)
    }

    /// Changes what is there; `None` on the server, and once the component has gone.
    pub(crate) fn update<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        self.0.try_get_value().flatten()?.try_update_value(change)
    }
}
