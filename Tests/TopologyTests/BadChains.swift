/// Mistakes in how names are steered.
enum BadChains {
    private static let steps = "[healthy, {geo: {continents: {EU: [west]}, default: [east]}}, {limit: 1}]"
    private static let answers = "{east: {A: 192.0.2.1}, west: {A: 192.0.2.2}}"
    private static let place = "dns.zones.shop.test.names.www"

    private static func step(_ title: String, _ written: String, says lines: [String]) -> BadInput {
        BadInput(title, replacing: steps, by: "[healthy, \(written)]", says: lines)
    }

    private static func answer(_ title: String, _ written: String, says lines: [String]) -> BadInput {
        BadInput(title, replacing: "west: {A: 192.0.2.2}}", by: "west: {A: 192.0.2.2}, \(written)}", says: lines)
    }

    static let cases: [BadInput] = [
        step(
            "a bias out of range", "{proximity: {bias: {east: 100}}}",
            says: [
                "t.yaml:35:54: error: \(place).steps[1].proximity.bias.east: read '100'; a whole number, -99 to 99",
                "t.yaml:35:40: error: \(place).steps[1].proximity: no answer is in a region with coordinates; "
                    + "give the regions location: {latitude: …, longitude: …}",
            ].sorted { $0 < $1 }),
        step(
            "nobody is anywhere", "proximity",
            says: [
                "t.yaml:35:28: error: \(place).steps[1]: no answer is in a region with coordinates; "
                    + "give the regions location: {latitude: …, longitude: …}"
            ]),
        step(
            "watermarks the wrong way round", "{shed: {low: 90%, high: 80%}}",
            says: [
                "t.yaml:35:35: error: \(place).steps[1].shed: high is 80% and low 90%; "
                    + "high above low: between them an answer is left out more and more"
            ]),
        step(
            "a trickle that is a flood", "{priority: {order: [east, west], trickle: 60%}}",
            says: ["t.yaml:35:70: error: \(place).steps[1].priority.trickle: read '60%'; a share, 0% to 50%"]),
        step(
            "an order of strangers", "{priority: {order: [east, south]}}",
            says: [
                "t.yaml:35:54: error: \(place).steps[1].priority: 'south' has no answers here; with answers: east, west"
            ]),
        step(
            "more than a resolver takes", "{take: 9}",
            says: ["t.yaml:35:35: error: \(place).steps[1].take: read '9'; a whole number, 1 to 8"]),
        step(
            "a prefix set that is not there", "{prefix: {offices: [east]}}",
            says: [
                "t.yaml:35:38: error: \(place).steps[1].prefix: no prefix set is named 'offices'; none is defined"
            ]),
        step(
            "a prefix with host bits", "{prefix: {10.0.0.1/8: [east]}}",
            says: [
                "t.yaml:35:38: error: \(place).steps[1].prefix: read '10.0.0.1/8'; an address prefix such as 10.0.0.0/8, "
                    + "the name of a set in dns.prefixSets, or *; did you mean '10.0.0.0/8'?"
            ]),
        step(
            "a city without a country", "{geo: {cities: {Paris: [east]}}}",
            says: [
                "t.yaml:35:44: error: \(place).steps[1].geo.cities: read 'Paris'; a country or subdivision and a city's "
                    + "English name, such as FR/Paris or US-CA/Los Angeles"
            ]),
        step(
            "a network that is none", "{geo: {networks: {AS0: [east]}}}",
            says: [
                "t.yaml:35:46: error: \(place).steps[1].geo.networks: read 'AS0'; the number of an autonomous system such as "
                    + "AS64500"
            ]),
        step(
            "a subdivision", "{geo: {subdivisions: {California: [east]}}}",
            says: [
                "t.yaml:35:50: error: \(place).steps[1].geo.subdivisions: read 'California'; a code such as US-CA (ISO 3166-2)"
            ]),
        BadInput(
            "steps and a policy", replacing: "steps: \(steps)", by: "steps: [healthy]\n          policy: failover",
            says: [
                "t.yaml:36:19: error: \(place) has both 'steps' and 'policy'; a policy stands for steps; keep one"
            ]),
        BadInput(
            "a policy nobody knows", replacing: "steps: \(steps)", by: "policy: failver",
            says: [
                "t.yaml:35:19: error: \(place).policy: read 'failver'; one of simple, weighted, latency, failover, "
                    + "geolocation, geoproximity, multivalue, ip-based; did you mean 'failover'?"
            ]),
        BadInput(
            "a policy that needs a map", replacing: "steps: \(steps)", by: "policy: geolocation",
            says: [
                "t.yaml:35:19: error: \(place).policy: 'geolocation' alone does not say enough; "
                    + "policy: {geolocation: {countries: {…}, default: …}}"
            ]),
        BadInput(
            "a degraded TTL longer than the other", replacing: "ttl: 30s", by: "ttl: 30s\n          ttlDegraded: 40s",
            says: [
                "t.yaml:33:24: error: \(place).ttlDegraded: 40s with a ttl of 30s; at least 1s, and at most the ttl"
            ]),
        answer(
            "an answer called none", "none: {region: east, A: 192.0.2.3}",
            says: [
                "t.yaml:34:65: error: \(place).answers: an answer is called 'none'; that word stands for no answer in steps"
            ]),
        answer(
            "a group with records", "far: {group: europe, A: 192.0.2.3}",
            says: [
                "t.yaml:34:89: error: \(place).answers.far: A stands beside 'group'; the records are those of the group",
                "t.yaml:34:78: error: \(place).answers.far.group: no group is called 'europe'; none is defined",
            ].sorted()),
        answer(
            "a name that is not there", "far: {name: api}",
            says: [
                "t.yaml:34:77: error: \(place).answers.far.name: no dynamic name is called 'api.shop.test.'; "
                    + "dynamic names: www.shop.test.; did you mean 'www.shop.test.'?"
            ]),
        answer(
            "a name in itself", "far: {name: www}",
            says: [
                "t.yaml:34:77: error: \(place).answers.far.name goes round: name www.shop.test. -> name www.shop.test.; "
                    + "what answers in the end are records"
            ]),
        BadInput(
            "groups that go round", replacing: "dns:\n",
            by:
                "dns:\n  groups:\n    a: {answers: {b: {group: b}}}\n    b: {answers: {c: {group: c}, east: {A: 192.0.2.7}}}\n"
                + "    c: {answers: {a: {group: a}}}\n",
            says: [
                "t.yaml:29:30: error: dns.groups.c.answers.a.group goes round: group a -> group b -> group c -> group a; "
                    + "what answers in the end are records"
            ]),
        BadInput(
            "chains that nest too deep", replacing: "dns:\n",
            by: "dns:\n  groups:\n    g0: {answers: {east: {A: 192.0.2.7}}}\n"
                + (1...8).map { "    g\($0): {answers: {next: {group: g\($0 - 1)}}}\n" }.joined(),
            says: ["t.yaml:35:5: error: group g8 nests chains 9 deep; at most 8"]),
        BadInput(
            "more answers than a name may have", replacing: "dns:\n",
            by: "dns:\n  groups:\n    g0: {answers: {east: {A: 192.0.2.7}, west: {A: 192.0.2.8}}}\n"
                + (1...7).map {
                    "    g\($0): {answers: {x: {group: g\($0 - 1)}, y: {group: g\($0 - 1)}, east: {A: 192.0.2.9}}}\n"
                }.joined(),
            says: [
                "t.yaml:34:5: error: group g7 has 383 answers, those of its chains included; at most 128",
                "t.yaml:33:5: error: group g6 has 191 answers, those of its chains included; at most 128",
            ].sorted()),
    ]
}
