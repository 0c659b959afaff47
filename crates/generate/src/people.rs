//! Companies, their domains, and the people who work there.

use crate::random::Random;
use crate::skew::{Skew, falling_weights};
use crate::words::{COMPANY_ENDS, COMPANY_STARTS, COUNTRIES, FREE_MAIL, NAMES, SUBDOMAINS, SUFFIXES};

/// What stands behind the @ of an e-mail.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) name: String,
    /// Which company's it is; none for free mail. This is what `company_domain` finds out by the public suffix list.
    pub(crate) company: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct User {
    /// In lower case and without blanks around; no two users have the same.
    pub(crate) email: Box<str>,
    /// None if the e-mail is no address.
    pub(crate) domain: Option<u32>,
    pub(crate) country: u32,
}

#[derive(Debug)]
pub(crate) struct People {
    /// Registrable domains, each once.
    pub(crate) companies: Vec<String>,
    /// Each once.
    pub(crate) domains: Vec<Domain>,
    pub(crate) users: Vec<User>,
    seed: u64,
}

// The purposes of random numbers in this file.
const OF_COMPANIES: u64 = 1;
const OF_USERS: u64 = 2;
const OF_PAUSES: u64 = 3;
const OF_GROWTH: u64 = 4;

/// How much the first users stand out: the first 20 are about as busy as each other.
const FLATNESS: u64 = 20;

impl People {
    pub(crate) fn new(seed: u64, users: u32) -> Self {
        let mut people = Self { companies: Vec::new(), domains: Vec::new(), users: Vec::new(), seed };
        let hosts = people.found_companies((users / 10).max(12));
        let free_mail = people.open_free_mail();
        people.employ(users, &hosts, &free_mail);
        people
    }

    /// Makes companies and gives the domains of each.
    fn found_companies(&mut self, count: u32) -> Vec<Vec<u32>> {
        let mut random = Random::new(self.seed, &[OF_COMPANIES]);
        let shift = random.next_u32();
        let hosts = (0..count).map(|number| {
            let name = company_name(number, shift, &mut random);
            let mut hosts = vec![self.add_domain(name.clone(), Some(number))];
            if random.below(4) == 0 {
                let host = format!("{}.{name}", random.pick(SUBDOMAINS));
                hosts.push(self.add_domain(host, Some(number)));
            }
            self.companies.push(name);
            hosts
        });
        hosts.collect()
    }

    fn open_free_mail(&mut self) -> Vec<u32> {
        FREE_MAIL.iter().map(|name| self.add_domain((*name).to_owned(), None)).collect()
    }

    fn add_domain(&mut self, name: String, company: Option<u32>) -> u32 {
        self.domains.push(Domain { name, company });
        u32::try_from(self.domains.len() - 1).expect("there are fewer domains than users and companies")
    }

    fn employ(&mut self, count: u32, hosts: &[Vec<u32>], free_mail: &[u32]) {
        let mut random = Random::new(self.seed, &[OF_USERS]);
        let (companies, providers) = (Skew::falling(hosts.len(), 8), Skew::falling(free_mail.len(), 2));
        let countries = Skew::falling(COUNTRIES.len(), 3);
        for number in 0..count {
            let name = random.pick(NAMES);
            let (email, domain) = match random.below(200) {
                0 => (format!("{name} {number}"), None),
                1..=40 => {
                    let domain = free_mail[providers.pick(&mut random) as usize];
                    (format!("sample.{name}{number}@{}", self.domains[domain as usize].name), Some(domain))
                }
                _ => {
                    let company = companies.pick(&mut random);
                    let domain = *random.pick(&hosts[company as usize]);
                    (format!("{name}{number}@{}", self.domains[domain as usize].name), Some(domain))
                }
            };
            let country = countries.pick(&mut random);
            self.users.push(User { email: email.into(), domain, country });
        }
    }

    /// How the events of a month spread over the users: in each month some pause, and some companies are three times as
    /// busy. `month` is any number that is the month's own.
    pub(crate) fn popularity(&self, month: u64) -> Skew {
        let mut pauses = Random::new(self.seed, &[OF_PAUSES, month]);
        let mut growth = Random::new(self.seed, &[OF_GROWTH, month]);
        let factors: Vec<u64> = self.companies.iter().map(|_| if growth.below(100) < 6 { 3 } else { 1 }).collect();
        let mut weights = falling_weights(self.users.len(), FLATNESS);
        for (user, weight) in self.users.iter().zip(&mut weights) {
            let company = user.domain.and_then(|domain| self.domains[domain as usize].company);
            *weight *= company.map_or(1, |company| factors[company as usize]);
            if pauses.below(100) < 12 {
                *weight = 0;
            }
        }
        Skew::new(&weights)
    }
}

/// The registrable domain of company `number`: a name of its own below `example`, or with a number below a suffix that
/// exists, so that it is nobody's.
fn company_name(number: u32, shift: u32, random: &mut Random) -> String {
    let starts = u32::try_from(COMPANY_STARTS.len()).expect("a short list");
    let ends = u32::try_from(COMPANY_ENDS.len()).expect("a short list");
    // 1201 and the number of names have no common factor: each name comes once before one comes again.
    let (round, place) = (number / (starts * ends), number % (starts * ends));
    let name = (place * 1201 + shift % (starts * ends)) % (starts * ends);
    let (start, end) = (COMPANY_STARTS[(name % starts) as usize], COMPANY_ENDS[(name / starts) as usize]);
    match (random.below(3), round) {
        (0, _) => format!("{start}{end}-{number:04}.{}", random.pick(SUFFIXES)),
        (_, 0) => format!("{start}{end}.example"),
        (_, round) => format!("{start}{end}{round}.example"),
    }
}
