//! Whatever is sent to whichever operation, the answer is never a fault of ours: good requests are bent at random places,
//! the same way in every run. `MUSTER_FUZZ_CASES` makes more of them.

use crate::bad_input_tables::members;
use crate::world::World;
use muster_store::test_database::on_both;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Number, Value};

/// Any JSON, with what is known to hurt more often than by chance.
fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        Just(String::new()),
        Just("\0".to_owned()),
        Just("x".repeat(70_000)),
        Just("{{ ssm:/a }}".to_owned()),
        Just("%_\\'\"".to_owned()),
        Just("../../../etc/passwd".to_owned()),
        Just("arn:aws:ssm:eu-west-1:123456789012:document/x".to_owned()),
        Just("{\"a\": [".to_owned()),
        Just("\u{202e}\u{10ffff}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        Just(Value::from(u64::MAX)),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[A-Za-z]{0,8}|[^a]{1,3}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Where the values of a request are, as JSON pointers.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), into);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(item, &format!("{at}/{name}"), into);
            }
        }
        _ => {}
    }
}

#[path = "../../fuzz/story.rs"]
mod story;

proptest! {
    #![proptest_config(Config { cases: 512, failure_persistence: None, ..Config::default() })]
    /// What the fuzzer plays without end (`cargo fuzz run dispatcher`).
    #[test]
    fn whatever_bytes_come_there_is_an_answer(data in prop::collection::vec(any::<u8>(), 0..200), text in "[{}\\[\\]\":,A-Za-z0-9 ]{0,60}") {
        story::play(&data);
        let mut written = data;
        written.truncate(2);
        written.extend_from_slice(text.as_bytes());
        story::play(&written);
    }
}

#[tokio::test]
async fn a_bent_request_is_never_a_fault_of_ours() {
    let cases: usize = std::env::var("MUSTER_FUZZ_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12);
    on_both(|db| async move {
        let world = World::new(db).await;
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        );
        let bends = prop::collection::vec((any::<prop::sample::Index>(), json()), 1..4);
        for (operation, good) in members() {
            let mut all = Vec::new();
            places(&good, "", &mut all);
            for _ in 0..cases {
                let mut bent = good.clone();
                for (place, value) in bends.new_tree(&mut runner).unwrap().current() {
                    if let Some(slot) = bent.pointer_mut(place.get::<String>(&all)) {
                        *slot = value;
                    }
                }
                let (status, answer) = world.call(operation, bent.clone()).await;
                let shown: String = bent.to_string().chars().take(2_000).collect();
                assert!(
                    status == 200 || status == 400,
                    "{operation} {status} {answer}: {shown}"
                );
                if status == 400 {
                    assert!(answer["__type"].is_string(), "{operation} {answer}: {shown}");
                }
            }
        }
    })
    .await;
}
