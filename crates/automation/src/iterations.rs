//! How often a loop goes round: once for each value of a list, or as long as a condition holds.

use crate::values::text_of;
use serde_json::Value;

/// Iterations of one loop at most (the guide's `aws:loop`).
pub const MOST_ITERATIONS: usize = 100;

/// What a loop's resolved inputs say.
#[derive(Clone, Debug, PartialEq)]
pub struct Iterations {
    /// One for each iteration; nothing where a condition decides.
    pub values: Option<Vec<Value>>,
    /// How many there are at most.
    pub most: usize,
}

/// A value as its declared type has it.
fn typed(value: Value, kind: &str) -> Result<Value, String> {
    let told = text_of(&value);
    let wrong = || format!("{told:?} among its Iterators is no {kind}");
    match (kind, &value) {
        ("Integer", Value::String(text)) => text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong()),
        ("Integer", Value::Number(_)) | ("Boolean", Value::Bool(_)) | ("StringMap", Value::Object(_)) => {
            Ok(value)
        }
        ("Boolean", Value::String(text)) => text
            .trim()
            .to_ascii_lowercase()
            .parse()
            .map(Value::Bool)
            .map_err(|_| wrong()),
        ("StringMap", Value::String(text)) => serde_json::from_str(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(wrong),
        ("String", _) => Ok(Value::String(told)),
        _ => Err(wrong()),
    }
}

impl Iterations {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with the inputs.
    pub fn read(inputs: &Value) -> Result<Self, String> {
        let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
        let most = match given("MaxIterations") {
            None => MOST_ITERATIONS,
            Some(value) => text_of(value)
                .trim()
                .parse()
                .ok()
                .filter(|most| (1..=MOST_ITERATIONS).contains(most))
                .ok_or_else(|| format!("its input MaxIterations has to be 1 to {MOST_ITERATIONS}"))?,
        };
        let kind = given("IteratorDataType").map_or_else(|| "String".to_owned(), text_of);
        let values = match given("Iterators") {
            None => None,
            Some(Value::Array(items)) if items.len() <= MOST_ITERATIONS => Some(
                items
                    .iter()
                    .map(|item| typed(item.clone(), &kind))
                    .collect::<Result<Vec<_>, _>>()?,
            ),
            Some(Value::Array(items)) => {
                return Err(format!(
                    "its input Iterators has {} values, and {MOST_ITERATIONS} are the most",
                    items.len()
                ));
            }
            Some(_) => return Err("its input Iterators has to be a list".to_owned()),
        };
        Ok(Self { values, most })
    }

    /// Whether there may be one more after so many.
    #[must_use]
    pub fn has_more(&self, done: usize) -> bool {
        done < self.most && self.values.as_ref().is_none_or(|values| done < values.len())
    }

    /// The value of an iteration, from 1.
    #[must_use]
    pub fn value(&self, iteration: usize) -> Option<&Value> {
        self.values.as_ref()?.get(iteration.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_and_conditions_go_round_so_often() {
        let three = Iterations::read(&json!({"Iterators": ["a", 2, true]})).unwrap();
        assert_eq!(three.values, Some(vec![json!("a"), json!("2"), json!("true")]));
        assert!(three.has_more(2) && !three.has_more(3));
        assert_eq!((three.value(0), three.value(2)), (None, Some(&json!("2"))));
        let two = Iterations::read(
            &json!({"Iterators": ["1", "2", "3"], "IteratorDataType": "Integer", "MaxIterations": "2"}),
        );
        let two = two.unwrap();
        assert!(two.has_more(1) && !two.has_more(2));
        assert_eq!(two.value(1), Some(&json!(1)));
        let condition = Iterations::read(&json!({})).unwrap();
        assert!(condition.has_more(MOST_ITERATIONS - 1) && !condition.has_more(MOST_ITERATIONS));
        for (inputs, says) in [
            (json!({"MaxIterations": 0}), "1 to 100"),
            (json!({"MaxIterations": 101}), "1 to 100"),
            (json!({"Iterators": "a"}), "has to be a list"),
            (json!({"Iterators": vec!["a"; 101]}), "101 values"),
            (
                json!({"Iterators": ["a"], "IteratorDataType": "Integer"}),
                "is no Integer",
            ),
            (
                json!({"Iterators": ["[1]"], "IteratorDataType": "StringMap"}),
                "is no StringMap",
            ),
            (
                json!({"Iterators": [{}], "IteratorDataType": "Boolean"}),
                "is no Boolean",
            ),
        ] {
            let told = Iterations::read(&inputs).unwrap_err();
            assert!(told.contains(says), "{told}");
        }
        let maps = json!({"Iterators": ["{\"a\": 1}", {"b": 2}], "IteratorDataType": "StringMap"});
        assert_eq!(Iterations::read(&maps).unwrap().value(2), Some(&json!({"b": 2})));
    }
}
