//! Templates by chance: the same seed gives the same templates.

/// Makes templates of the language that both engines have.
pub(crate) struct Generator {
    state: u64,
}

const ATOMS: &[&str] = &[
    "name",
    "long",
    "unicode",
    "html",
    "padded",
    "none",
    "yes",
    "no",
    "zero",
    "one",
    "minus",
    "pi",
    "half",
    "whole",
    "small",
    "list",
    "words",
    "empty",
    "text_numbers",
    "dict",
    "people",
    "missing",
    "launch_information",
    "launch_information.fname",
    "launch_information.mname",
    "telehealth_integration.name",
    "dict.a",
    "dict.b",
    "people[0]",
    "people[0].name",
    "0",
    "1",
    "2",
    "7",
    "-3",
    "2.5",
    "0.1",
    "1e20",
    "100.0",
    "'a'",
    "'Ab c'",
    "''",
    "'x,y'",
    "'%s'",
    "'%d|%s'",
    "'{}'",
    "' b '",
    "\"it's\"",
    "'12'",
    "'3.5'",
    "'<b>'",
    "[]",
    "[1, 'b']",
    "(1, 2)",
    "('a',)",
    "{'a': 1, 'b': 'x'}",
    "range(3)",
    "true",
    "false",
];

const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "default",
    "default(E)",
    "default(E, true)",
    "first",
    "float",
    "float(E)",
    "format(E)",
    "format(E, E)",
    "int",
    "int(E)",
    "int(E, 16)",
    "join",
    "join(E)",
    "join(', ', 'name')",
    "last",
    "length",
    "lower",
    "replace(E, E)",
    "replace('a', 'b', E)",
    "round",
    "round(1)",
    "round(E)",
    "round(0, 'floor')",
    "round(1, 'ceil')",
    "striptags",
    "trim",
    "trim(E)",
    "truncate(5)",
    "truncate(9, true)",
    "truncate(E, false, '.', 0)",
    "upper",
];

const METHODS: &[&str] = &[
    "upper()",
    "lower()",
    "title()",
    "capitalize()",
    "swapcase()",
    "strip()",
    "strip(E)",
    "split()",
    "split(E)",
    "split(',', 1)",
    "rsplit(none, 1)",
    "join(E)",
    "replace(E, E)",
    "startswith(E)",
    "endswith('c')",
    "find(E)",
    "count(E)",
    "index(E)",
    "zfill(5)",
    "center(E)",
    "ljust(6, '.')",
    "partition(E)",
    "get(E)",
    "get(E, E)",
    "format(E)",
    "format(E, E)",
    "isdigit()",
    "islower()",
    "isupper()",
    "istitle()",
    "splitlines()",
];

const TESTS: &[&str] = &[
    "defined",
    "undefined",
    "none",
    "odd",
    "even",
    "number",
    "integer",
    "float",
    "string",
    "mapping",
    "sequence",
    "iterable",
    "boolean",
    "true",
    "false",
    "lower",
    "upper",
    "divisibleby(E)",
    "eq(E)",
    "ne(E)",
    "lt(E)",
    "ge(E)",
    "in(E)",
];

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and",
    "or",
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A template.
    pub(crate) fn template(&mut self) -> String {
        let parts = 1 + self.below(3);
        (0..parts).map(|_| self.statement(2)).collect()
    }

    fn statement(&mut self, depth: usize) -> String {
        let expression = self.expression(3);
        if depth == 0 {
            return format!("{{{{ {expression} }}}}");
        }
        let inner = self.statement(depth - 1);
        let other = self.statement(0);
        match self.below(14) {
            0 => format!("{{% if {expression} %}}{inner}{{% else %}}{other}{{% endif %}}"),
            1 => format!(
                "{{% for x in {expression} %}}{{{{ loop.index }}}}{{{{ x }}}}{inner}{{% else %}}{other}{{% endfor %}}"
            ),
            2 => format!("{{% set v = {expression} %}}{{{{ v }}}}{inner}"),
            3 => format!("{{% set v %}}{inner}{{% endset %}}{{{{ v|upper }}}}"),
            4 => format!("{{% with v = {expression} %}}{{{{ v }}}}{inner}{{% endwith %}}"),
            5 => format!("{{% filter upper %}}{inner}{{% endfilter %}}"),
            6 => format!(" {{%- if {expression} -%}} \n{inner} {{% endif %}}\r\n"),
            7 => format!("{{{{- {expression} -}}}} {other}"),
            8 => format!("{{% for k, v in {expression} %}}{{{{ k }}}}{{{{ v }}}}{{% endfor %}}"),
            _ => format!("a {{{{ {expression} }}}}\n"),
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(5) == 0 {
            return self.pick(ATOMS).to_owned();
        }
        let inner = self.expression(depth - 1);
        match self.below(17) {
            0..=4 => {
                let filter = self.filled(FILTERS, depth);
                format!("{}|{filter}", operand(&inner))
            }
            5..=6 => {
                let method = self.filled(METHODS, depth);
                format!("{}.{method}", operand(&inner))
            }
            7 => {
                let test = self.filled(TESTS, depth);
                format!("{} is {test}", operand(&inner))
            }
            8..=11 => {
                let operator = self.pick(OPERATORS);
                let right = self.expression(depth - 1);
                format!("{} {operator} {}", operand(&inner), operand(&right))
            }
            12 => {
                let item = self.pick(&["[0]", "[-1]", "['a']", ".name", "[5]"]);
                format!("{}{item}", operand(&inner))
            }
            13 => {
                let (test, other) = (self.expression(1), self.expression(depth - 1));
                format!(
                    "{} if {} else {}",
                    operand(&inner),
                    operand(&test),
                    operand(&other)
                )
            }
            // Of variables only: Jinja2 has other slices of constants.
            14 => {
                let of = self.pick(&["long", "words", "list", "unicode", "one", "dict", "missing"]);
                let slice = self.pick(&["[1:]", "[:2]", "[::-1]", "[-2:]", "[3:0:-1]", "[::2]"]);
                format!("{of}{slice}")
            }
            15 => {
                let prefix = self.pick(&["not ", "-"]);
                format!("{prefix}{}", operand(&inner))
            }
            _ => {
                let other = self.expression(depth - 1);
                match self.below(3) {
                    0 => format!("[{inner}, {other}]"),
                    1 => format!("({inner}, {other})"),
                    _ => format!("{{'k': {inner}, 'a': {other}}}"),
                }
            }
        }
    }

    /// One of them, with an expression in the place of each `E`.
    fn filled(&mut self, patterns: &[&str], depth: usize) -> String {
        let mut filled = self.pick(patterns).to_owned();
        while let Some(place) = filled.find('E') {
            let argument = self.expression(depth.saturating_sub(2));
            // Atoms have no `E` in them.
            filled.replace_range(place..=place, &argument.replace('E', "e"));
        }
        filled
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        let index = self.below(items.len());
        items[index]
    }

    /// SplitMix64.
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(limit).expect("a small number"))
            .expect("less than the limit")
    }
}

/// In brackets, unless it is one thing.
fn operand(expression: &str) -> String {
    if expression
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        expression.to_owned()
    } else {
        format!("({expression})")
    }
}
