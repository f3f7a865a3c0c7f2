import ControlPlane
import Testing

@testable import meridianctl

/// What operators read when a region's database has lost its primary.
@Suite struct FleetStatusTests {
    private static func node(_ name: String, _ members: [String: StatusValue]) -> (Target, StatusValue) {
        var status = members
        status["node"] = .string(name)
        return (Target(name: name, url: "http://127.0.0.1:1", token: nil), .object(status))
    }

    private static let chain: StatusValue = [
        ["source": "dns-1", "text": "depends on orders-db", "depth": 0],
        ["source": "l4-eu-west", "text": "orders: no primary", "depth": 1],
        ["source": "l4-eu-west", "text": "127.0.2.1:6432: connection refused", "depth": 2],
    ]

    private static func services(_ shop: StatusValue) -> StatusValue {
        [
            [
                "service": "orders-db", "failOpen": false,
                "regions": [["region": "us-east", "healthy": true, "share": 1, "frozen": true, "reasons": []]],
            ],
            [
                "service": "shop", "failOpen": false,
                "regions": [
                    ["region": "us-east", "healthy": true, "share": 0.35, "frozen": false, "reasons": []], shop,
                ],
            ],
        ]
    }

    private static let down: StatusValue = [
        "region": "eu-west", "healthy": false, "share": 1, "frozen": false, "reasons": chain,
    ]

    private static let dns = node(
        "dns-1",
        [
            "tier": "dns", "region": "us-east", "state": "serving", "drainReason": "", "uptimeSeconds": 305,
            "configuration": ["fingerprint": "d26aa03250775a49", "generation": 2], "traffic": ["ratePerSecond": 1234.4],
            "peers": [
                ["node": "l4-eu-west", "voice": "fresh"], ["node": "l7-eu-west", "voice": "silent"],
            ],
            "services": services(down),
            "candidates": [
                [
                    "name": "www.shop.test.", "region": "eu-west", "address": "127.0.2.1:8080", "up": false,
                    "reason": "timed out",
                ],
                ["name": "www.shop.test.", "region": "us-east", "address": "127.0.1.1:8080", "up": true, "reason": ""],
            ],
            "events": [
                ["number": 1, "time": 1_795_338_000_123, "kind": "node", "subject": "dns-1", "text": "serving"],
                [
                    "number": 2, "time": 1_795_338_061_004, "kind": "verdict", "subject": "shop in eu-west",
                    "text": "down",
                ],
            ],
        ])

    private static let database = node(
        "l4-eu-west",
        [
            "tier": "l4", "region": "eu-west", "state": "draining", "drainReason": "kernel update",
            "services": [["service": "api", "failOpen": true, "regions": []]],
            "events": [
                ["time": 1_795_338_060_500, "kind": "endpoint", "subject": "127.0.2.1:6432", "text": "down"]
            ],
            "pools": [
                [
                    "pool": "orders", "service": "orders-db", "up": 1, "total": 2, "primaries": 0, "replicas": 1,
                    "inFlight": 12, "ratePerSecond": 3.25, "errorRate": 0.015, "p50Milliseconds": 0.8,
                    "p99Milliseconds": 12.3, "troubles": ["127.0.2.1:6432: connection refused"],
                ]
            ],
        ])

    private static let dead = (
        Target(name: "l7-eu-west", url: "http://127.0.0.1:1", token: nil),
        AdminClient.Failure(description: "Connection refused", isUnreachable: true)
    )

    private static let screen = FleetStatus([
        (dns.0, .success(dns.1)), (database.0, .success(database.1)), (dead.0, .failure(dead.1)),
    ]).text

    @Test func nodes() {
        #expect(
            Self.screen.hasPrefix(
                """
                NODE        TIER  REGION   STATE                          UP  CONFIGURATION  RATE    PEERS
                dns-1       dns   us-east  serving                        5m  d26aa032 #2    1234/s  1/2 (l7-eu-west silent)
                l4-eu-west  l4    eu-west  draining (kernel update)
                l7-eu-west                 no answer: Connection refused

                """))
    }

    @Test func servicesByRegion() {
        #expect(
            Self.screen.contains(
                """
                SERVICE    US-EAST           EU-WEST  SEEN BY
                api        -                 -        l4-eu-west
                orders-db  healthy (frozen)  -        dns-1
                shop       healthy 35%       DOWN     dns-1

                """))
    }

    @Test func theWholeChainOfReasons() {
        #expect(
            Self.screen.contains(
                """
                shop in eu-west is down (dns-1)
                  - dns-1: depends on orders-db
                    because l4-eu-west: orders: no primary
                      because l4-eu-west: 127.0.2.1:6432: connection refused

                """))
    }

    @Test func failOpenIsSaidLoudly() {
        #expect(
            Self.screen.contains("FAIL-OPEN: api is down in every region, so all of them are used (l4-eu-west)\n"))
    }

    @Test func whatDNSSeesItself() {
        #expect(
            Self.screen.contains(
                """
                NAME            REGION   ADDRESS         SEEN BY  TROUBLE
                www.shop.test.  eu-west  127.0.2.1:8080  dns-1    timed out

                """))
    }

    @Test func eventsOfAllNodesInOrder() {
        #expect(
            Self.screen.hasSuffix(
                """
                TIME (UTC)    ABOUT            EVENT    SEEN BY
                09:00:00.123  dns-1            serving  dns-1
                09:01:00.500  127.0.2.1:6432   down     l4-eu-west
                09:01:01.004  shop in eu-west  down     dns-1

                """))
    }

    @Test func pools() {
        #expect(
            Self.screen.contains(
                """
                orders  l4-eu-west  1/2  0 primary, 1 replica  12         3.3/s  1.5%    0.8 ms  12 ms  127.0.2.1:6432: con
                """))
    }

    @Test func nodesThatAgreeShareALine() {
        let other = Self.node("dns-2", ["services": Self.dns.1["services"]])
        let screen = FleetStatus([(Self.dns.0, .success(Self.dns.1)), (other.0, .success(other.1))]).text
        #expect(screen.contains("shop in eu-west is down (every node)\n"))
        #expect(screen.split(separator: "\n").count { $0.hasSuffix("orders: no primary") } == 1)
        #expect(screen.contains("shop       healthy 35%       DOWN     every node\n"))
    }

    @Test func whatSeveralNodesNoticedIsToldOnce() {
        func node(_ name: String, _ times: Int64...) -> FleetStatus.Answer {
            let events = times.map { ["time": .int($0), "subject": "shop in eu-west", "text": "down"] as StatusValue }
            let (target, status) = Self.node(name, ["events": .array(events)])
            return (target, .success(status))
        }
        let screen = FleetStatus([node("a", 1_000, 60_000), node("b", 1_200), node("c", 900)]).text
        #expect(
            screen.hasSuffix(
                """
                TIME (UTC)    ABOUT            EVENT  SEEN BY
                00:00:00.900  shop in eu-west  down   c and 2 more
                00:01:00.000  shop in eu-west  down   a

                """))
    }

    @Test func nodesThatDisagreeDoNot() {
        let well: StatusValue = ["region": "eu-west", "healthy": true, "share": 1, "frozen": false, "reasons": []]
        let other = Self.node("dns-2", ["services": Self.services(well)])
        let screen = FleetStatus([(Self.dns.0, .success(Self.dns.1)), (other.0, .success(other.1))]).text
        #expect(
            screen.contains(
                """
                orders-db  healthy (frozen)  -        every node
                shop       healthy 35%       DOWN     dns-1
                shop       healthy 35%       healthy  dns-2

                """))
    }

    @Test func nobodyAnswers() {
        #expect(FleetStatus([(Self.dead.0, .failure(Self.dead.1))]).text.split(separator: "\n").count == 2)
    }
}

@Suite struct ExplanationTests {
    @Test func stepsAsATableAndReasonsBelow() {
        let answer: StatusValue = [
            "name": "www.shop.test.", "type": "A", "client": "10.2.0.1", "failOpen": false,
            "answer": ["127.0.1.1"],
            "steps": [
                [
                    "step": "healthy", "before": ["us-east", "eu-west"], "after": ["us-east"],
                    "fact": "eu-west is down",
                ],
                ["step": "limit", "before": ["us-east"], "after": ["us-east"], "fact": "1"],
            ],
            "candidates": [
                ["region": "us-east", "healthy": true, "share": 1],
                ["region": "eu-west", "healthy": false, "share": 0.1, "reasons": [["source": "l7", "text": "gone"]]],
            ],
        ]
        #expect(
            Explanation.text(answer) == """
                name: www.shop.test.
                type: A
                client: 10.2.0.1
                answer: 127.0.1.1
                failOpen: no

                candidates:
                  REGION   HEALTHY  SHARE
                  us-east  yes      1
                  eu-west  no       0.1
                    - l7: gone

                steps:
                  STEP     BEFORE            AFTER    FACT
                  healthy  us-east, eu-west  us-east  eu-west is down
                  limit    us-east           us-east  1

                """)
    }

    @Test(arguments: [
        (0.0, "0"), (1.0, "1"), (0.1234, "0.123"), (-2.5, "-2.5"), (1e300, "1e+300"), (Double.nan, ""),
    ])
    func figures(_ value: Double, _ text: String) {
        #expect(Figure.plain(value) == text)
    }
}
