extension ReloadKeysTests {
    /// The topology that the fates of keys speak of.
    ///
    /// `$` is the folder. Each key has a value that is not its default, and that stands here once.
    static let topology = """
        include: [a.yaml]
        stateDirectory: var
        federation:
          keys: [{id: k1, secret: {env: KEY}}, {id: k2, secret: {file: key-two}}]
          interval: 1s
          staleAfter: 5s
          clockSkew: 30s
          failStaticShare: 60%
          damping: {rise: 3s, fall: 4s, holdDown: {failures: 5, window: 6m, base: 31s, maximum: 11m}}
        regions:
          east: {location: {continent: NA, country: US, latitude: 40, longitude: -75}, address: 10.0.1.1, capacity: 1001}
          west: {location: {continent: EU, latitude: 50, longitude: 8}, address: 10.0.2.1, capacity: 2001}
        nodes:
          dns:
            tier: dns
            region: east
            address: 10.0.1.3
            workers: 2
            admin: "127.0.0.1:9080"
            adminToken: {env: TOKEN}
            federation: "10.0.1.3:9090"
            drainTimeout: 5s
            leaveDelay: 2s
            state: /s/dns
            log: {format: json, level: info, access: /l/a, accessSample: 2, explain: /l/e, explainSample: 9}
          l7: {tier: l7, region: east, federation: "10.0.1.1:9091"}
          l4: {tier: l4, region: east}
        services:
          db: {requires: primary}
          shop: {dependsOn: [db], threshold: 40%}
          extra: {}
        safety:
          - {name: one, atLeast: 1, of: [east, west], services: [db]}
          - {name: window, gate: closed, names: [www.shop.test]}
        pools:
          web:
            kind: http
            service: shop
            balance: random
            endpoints: {east: [{address: "10.0.1.9:9001", weight: 7}], west: ["10.0.2.1:9001"]}
            check: {http: {path: /healthz, host: a.test, statuses: 200-299, contains: fine}, interval: 1100ms, timeout: 600ms, rise: 4, fall: 3}
            ejection: {failures: 4, on: [connect, gateway], base: 11s, maximum: 6m, maximumShare: 51%}
            retry: {on: connect, attempts: 4}
            timeouts: {connect: 2s, response: 31s, idle: 61s}
            keepalive: {connections: 65, idle: 20s, interval: 7s, count: 3}
          spare: {kind: http, service: shop, endpoints: {east: ["10.0.1.9:9002"]}}
          orders:
            kind: tcp
            service: db
            endpoints: {east: ["10.0.1.9:5432"], west: ["10.0.2.9:5432"]}
            check: {postgresql: {user: probe, database: shop, password: {env: PASSWORD}, maximumLag: 8s, md5: true, sslmode: verify-full, sslrootcert: /s/roots.pem, host: db.test}}
            closeOnDown: false
          others: {kind: tcp, service: db, endpoints: {east: ["10.0.1.9:5433"], west: ["10.0.2.9:5433"]}, check: {postgresql: {user: other}}}
          lone: {kind: tcp, endpoints: {east: ["10.0.1.9:7000"]}}
        dns:
          port: 5353
          maximumUDPSize: 1400
          locations: {csv: places.csv, asn: networks.mmdb}
          prefixSets: {office: [10.9.0.0/16]}
          zoneFolder: zones
          amplification: 17
          identity: {name: ns-one, nsid: false, chaos: true, version: one}
          cookies: {secrets: [{env: COOKIE}], required: true}
          rateLimit: {responsesPerSecond: 201, negativesPerSecond: 101, errorsPerSecond: 51, slip: 3, window: 14s, ipv4Length: 25, ipv6Length: 57, exempt: [10.5.0.0/16], tableSize: 65537}
          tcp: {connections: 19999, perSource: 201, idle: 11s, message: 6s}
          proxy: {port: 5355, from: [10.7.0.0/16]}
          groups:
            blue: {service: db, answers: {east: {A: 192.0.2.30}, west: {A: 192.0.2.40}}, steps: [healthy, {failover: [west, east]}]}
            red: {answers: {east: {A: 192.0.2.70}}}
            green: {policy: failover, answers: {east: {A: 192.0.2.50}, west: {A: 192.0.2.60}}}
          zones:
            shop.test:
              file: shop.test.zone
              names:
                www:
                  service: shop
                  ttl: 31s
                  ttlDegraded: 6s
                  ramp: 5s
                  check: {http: {port: 8081}}
                  answers:
                    east: {A: 192.0.2.1, AAAA: "2001:db8::1", HTTPS: 1 . alpn=h2, SVCB: 1 . alpn=dot, TXT: one, MX: 10 mail, SRV: 1 2 5432 db, CAA: 0 issue "ca.test"}
                    west: {A: 192.0.2.2}
                  steps:
                    - healthy: {servers: 20%, quorum: 30%}
                    - geo:
                        prefixes: {10.1.0.0/16: [east]}
                        networks: {AS64500: [west]}
                        cities: {FR/Paris: [west]}
                        subdivisions: {US-CA: [west]}
                        countries: {FR: [west]}
                        continents: {AF: [east]}
                        default: [east]
                      fence: open
                    - prefix: {office: [east], "*": [west]}
                    - proximity: {bias: {east: 10}}
                    - nearest: {count: 2, bias: {west: 12}}
                    - latency: {file: l.csv, measured: true, tolerance: 21ms, explore: 2%}
                    - weighted: {east: 3}
                    - priority: {order: [east, west], trickle: 4%}
                    - capacity: {limit: 81%}
                    - shed: {low: 71%, high: 96%}
                    - limit: 2
                    - take: 1
                tcp:
                  check: {tcp: {port: 443}}
                  answers: {east: {A: 192.0.2.11}, two: {region: west, service: db, A: 192.0.2.12}}
                  steps: [healthy, {sample: 2}]
                base:
                  check: {postgresql: {user: probe-name, port: 5433}}
                  answers: {east: {A: 192.0.2.13}}
                pre:
                  answers: {east: {A: 192.0.2.14}, west: {A: 192.0.2.15}}
                  policy: {multivalue: 3}
                alias:
                  answers: {east: {CNAME: one.elsewhere.test.}}
                nested:
                  answers: {first: {group: blue}, second: {name: pre}, third: {group: green}}
        http:
          listeners:
            public:
              port: 8080
              trustedProxies: [10.3.0.0/16]
              rawTargets: refuse
              limits: {headSize: 9KiB, headerCount: 101, bodySize: 2MiB, connections: 999}
              timeouts: {head: 11s, body: 12s, keepalive: 13s}
              keepalive: {idle: 22s, interval: 9s, count: 5}
          routes:
            - {name: shop, host: www.shop.test, path: {prefix: /shop}, pool: web}
            - {name: one, path: {exact: /one}, pool: web, upgrades: [chat]}
        tcp:
          listeners:
            orders: {port: 6432, pool: orders, role: replica, fallback: primary, connections: 888, keepalive: {count: 9}}
        """
}
