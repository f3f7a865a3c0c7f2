/// Text that is no YAML, or YAML that a topology does not use.
enum BadSyntax {
    static let cases: [BadInput] = [
        BadInput(
            "unclosed bracket",
            replacing: "dependsOn: [db]", by: "dependsOn: [db",
            says: [
                "t.yaml:11:40: error: not YAML: did not find expected ',' or ']' while parsing a flow sequence"
            ]),
        BadInput(
            "tab as indentation",
            replacing: "    kind: http", by: "\tkind: http",
            says: [
                "t.yaml:14:1: error: not YAML: found character that cannot start any token while scanning for the next token"
            ]),
        BadInput(
            "key twice",
            replacing: "balance: random", by: "kind: http",
            says: [
                "t.yaml:14:5: error: 'kind' stands here and once more in the same map; keep one"
            ]),
        BadInput(
            "undefined alias",
            replacing: "balance: random", by: "balance: *nothing",
            says: [
                "t.yaml:16:14: error: not YAML: found undefined alias"
            ]),
        BadInput(
            "tag",
            replacing: "balance: random", by: "balance: !!python/object:os.system random",
            says: [
                "t.yaml:16:14: error: the tag 'tag:yaml.org,2002:python/object:os.system' is written; tags are not used"
            ]),
        BadInput(
            "tag of a map",
            replacing: "  east: {address", by: "  east: !ours {address",
            says: [
                "t.yaml:3:9: error: the tag '!ours' is written; tags are not used"
            ]),
        BadInput(
            "two documents",
            replacing: "tcp:\n", by: "---\ntcp:\n",
            says: [
                "t.yaml:40:1: error: a second document begins; a file holds one"
            ]),
        BadInput(
            "alias as a key",
            whole: "a: &a x\n*a : y\n",
            says: [
                "t.yaml:2:1: error: an alias or a list is used as a key; keys are plain text"
            ]),
        BadInput(
            "list as a key",
            whole: "a: &a x\n{[*a]: y}\n",
            says: [
                "t.yaml:2:1: error: an alias or a list is used as a key; keys are plain text"
            ]),
        BadInput(
            "explicit key",
            whole: "? a\n: b\n",
            says: [
                "t.yaml:1:1: error: an alias or a list is used as a key; keys are plain text"
            ]),
        BadInput(
            "list as a key without an alias",
            whole: "[a, b]: c\n",
            says: [
                "t.yaml:1:1: error: a key is not plain text; keys are plain text"
            ]),
    ]
}
