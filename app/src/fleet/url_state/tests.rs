//! Addresses of the Fleet page: read, written, and what cannot be read.

use super::*;

fn read(text: &str) -> FleetUrl {
    FleetUrl::read(&Query::parse(text))
}

#[test]
fn an_address_says_the_same_after_a_round() {
    for text in [
        "/fleet",
        "/fleet?filter=tag:Environment%3DProduction%3Bname~web&sort=ping&desc=1",
        "/fleet?cols=node,status,tags&cursor=abc&node=mi-1",
        "/fleet?filter=tag:Note%3Da%5C%3Bb",
    ] {
        let query = text.split_once('?').map_or("", |(_, query)| query);
        assert_eq!(read(query).address(), text);
    }
}

#[test]
fn a_bad_condition_is_reported_and_the_rest_holds() {
    let state = read("filter=status=Online;colour=red&sort=size");
    assert_eq!(state.filter.to_string(), "status=Online");
    assert_eq!(state.problems.len(), 2);
    assert!(state.problems[0].contains("colour"));
    assert_eq!(state.sort, FleetSort::Name);
    assert!(
        state.unreadable.unwrap().contains("colour"),
        "it is not run as if unset"
    );
    let state = read("filter=web&property=status&operator==&value=Up");
    assert_eq!(
        state.unreadable, None,
        "what is being added did not hold before, either"
    );
}

#[test]
fn the_form_adds_a_condition_once() {
    let state = read("filter=web&property=tag:Team&operator=!=&value=payments");
    assert_eq!(state.filter.to_string(), "web;tag:Team!=payments");
    assert!(state.untidy);
    assert!(read("cols=node&cols=tags&=").untidy);
    assert!(!read(state.address().split_once('?').unwrap().1).untidy);
    let state = read("filter=tag:Team=web&property=text&operator=~&value=tag:Team=web");
    assert_eq!(state.filter.tokens.len(), 1);
    assert_eq!(
        read("property=ping&operator==&value=2d").filter.to_string(),
        "ping>2d"
    );
    let state = read("property=status&operator==&value=Up");
    assert_eq!(state.draft.unwrap().value, "Up");
    assert_eq!(
        read("filter=web&property=text&operator=~&value=+")
            .filter
            .to_string(),
        "web"
    );
}

#[test]
fn neighbours_start_again_from_the_first_page() {
    let state = read("filter=web;status=Online&cursor=abc&node=mi-1");
    assert_eq!(
        state.without(0).address(),
        "/fleet?filter=status%3DOnline&node=mi-1"
    );
    assert_eq!(
        state.ordered(FleetSort::Name).address(),
        "/fleet?filter=web%3Bstatus%3DOnline&desc=1&node=mi-1"
    );
    assert_eq!(state.saved(), "filter=web%3Bstatus%3DOnline");
    assert_eq!(
        state.export("csv"),
        "/export/fleet.csv?filter=web%3Bstatus%3DOnline"
    );
    assert_eq!(state.hidden(&["filter"]), vec![]);
}
